"""Hundreds of databases and ledgers that nobody should hand over: one sentence each, and nothing is written into them.

A healthy study is made once; each case is a copy of its file with other bytes, tables or rows.
"""

import dataclasses
import os
import random
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from explorer.__main__ import main
from explorer.studies.tuning import (
    Outcome,
    check,
    checked,
    completed,
    database,
    open_study,
    recommend,
    shown,
    sqlite,
    work,
    workers,
)
from explorer.ui import long_runs, search
from tests.test_malformed import KINDS, one_sentence, picture
from tests.test_tuning import make_task

ODD = [
    None,
    -1,
    0,
    3,
    2**62,
    1e308,
    -1e-300,
    float("inf"),
    "",
    "x",
    "NaN",
    "null",
    "[]",
    "{}",
    '"x"',
    "[1e999]",
    b"\xff",
]
ODD += [
    "<img src=http://example.com>",
    "[x](http://example.com)",
    "'); drop table trials; --",
    "9" * 5000,
    "[" * 90_000,
]
ODD += ["COMPLETE", "RUNNING", "WAITING", "MAXIMIZE", '{"a": "x"}', '{"a": 1e99}', '{"lam": NaN}', '{"a": true}']


class Place:
    """Where cases are put, one after another, and the healthy file that they are made of."""

    def __init__(self, folder: Path) -> None:
        self.task, self.path = make_task(), folder / "case" / "study.db"
        self.unseen = dataclasses.replace(self.task, images=self.task.images.flip(0), labels=self.task.labels.flip(0))
        self.url = f"sqlite:///{self.path}"
        made = open_study(self.url, "one", self.task)
        work(made, self.task, 2)
        check(made, recommend(made, self.task), self.unseen)
        made._storage._backend.engine.dispose()
        self.healthy = self.path.read_bytes()

    def refuses(self, content: bytes) -> bool:
        """Whether a file with this content is refused; it is as it was then, and so is all around it."""
        self.path.write_bytes(content)
        refused = one_sentence(self.use)
        if refused:
            assert self.path.read_bytes() == content
        assert os.listdir(self.path.parent) == ["study.db"]
        return refused

    def use(self) -> None:
        """All that the page and the command do with a study: read it, and go on with it."""
        opened = open_study(self.url, "one", self.task)
        try:
            best = recommend(opened, self.task)
            if best is not None:
                found = checked(opened, best, self.unseen)
                assert found is None or len(found.start.n_pixels) == len(self.unseen.images)
            assert work(opened, self.task, 3)
        finally:
            opened._storage._backend.engine.dispose()

    def changed(self, *statements: tuple[str, tuple]) -> bytes:
        """The healthy file after these statements."""
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(self.healthy)
            for statement, values in statements:
                copy.execute(statement, values)
            copy.commit()
            return copy.serialize()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("studies"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for module in (database, sqlite, workers):
        monkeypatch.setattr(module, "LOOK", 0.0)
    monkeypatch.setattr(workers, "measure", lambda *_given: Outcome((1, 2, 3, 4), 1.0, 64))


def test_a_healthy_one_goes_on(place):
    assert not place.refuses(place.healthy)
    assert not place.refuses(b""), "an empty file becomes one"


def test_bytes(place):
    """100: cut off, turned bits, blocks of zeros or of others, lengths that lie."""
    refused = 0
    for seed in range(100):
        chance, content = random.Random(seed), bytearray(place.healthy)
        what, at = chance.randrange(5), chance.randrange(len(content))
        if what == 0:
            del content[max(1, at) :]
        elif what == 1:
            for _ in range(chance.randrange(1, 200)):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        elif what == 2:
            content[at : at + 512] = bytes(len(content[at : at + 512]))
        elif what == 3:
            other = chance.randrange(len(content) - 4096)
            content[at : at + 4096] = content[other : other + len(content[at : at + 4096])]
        else:
            at = chance.choice([0, 16, 18, 19, 24, 28, 32, 36, 44, 52, 56, 60, 68, 96])  # of the header
            content[at : at + 4] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1, at]))
        refused += place.refuses(bytes(content))
    assert refused > 50


@pytest.mark.parametrize(("kind", "mode"), KINDS[:5:2])
def test_pictures_are_no_databases(place, kind, mode):
    assert place.refuses(picture(kind, mode))


@pytest.mark.parametrize(
    "content", [b"x", b"{}", b"PK\x03\x04", b"SQLite format 3\0", b"SQLite format 3\0" * 99, b"\0" * 9999]
)
def test_other_files_are_no_databases(place, content):
    assert place.refuses(content)


TABLES = [
    "create table moz_places (id integer primary key, url text)",
    "create table trials (trial_id integer primary key)",
    "create table studies (study_id integer, study_name text)",
    "create table alembic_version (version_num text)",
    "create view studies as select 1 as study_id, 'one' as study_name",
    "create virtual table notes using fts5 (text)",
]


@pytest.mark.parametrize("made", TABLES)
def test_other_programs_databases_are_left_alone(place, made):
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute(made)
        theirs.execute("create table theirs (one)")
        theirs.commit()
        content = theirs.serialize()
    assert place.refuses(content)


def names_of(content: bytes) -> dict[str, list[str]]:
    """The columns of the file's tables."""
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(content)
        tables = [name for (name,) in copy.execute("select name from sqlite_master where type = 'table'")]
        return {name: [row[1] for row in copy.execute(f"pragma table_info({name})")] for name in tables}


def test_other_versions_tables(place):
    """50: each table is missing, or one of its columns has another name; a version that is another."""
    refused = cases = 0
    for table, columns in names_of(place.healthy).items():
        cases += 1 + len(columns)
        refused += place.refuses(place.changed((f"drop table {table}", ())))
        for column in columns:
            refused += place.refuses(place.changed((f'alter table {table} rename column "{column}" to other', ())))
    assert refused >= cases - 1, "without its version, Optuna takes its own"
    assert place.refuses(place.changed(("update alembic_version set version_num = 'v1.3.0.a'", ())))
    assert place.refuses(place.changed(("update alembic_version set version_num = '<b>'", ())))


def test_triggers_do_not_run(place):
    made = "create trigger mine after insert on trials begin delete from studies; end"
    assert place.refuses(place.changed((made, ())))


STUDY = [
    ("update study_directions set direction = 'MAXIMIZE'", ()),
    ("update study_directions set direction = 'NOT_SET'", ()),
    ("update study_directions set direction = 'sideways'", ()),
    ("delete from study_directions", ()),
    ("delete from study_directions where objective = 2", ()),
    ("insert into study_directions values (9, 'MINIMIZE', 1, 3)", ()),
    *[("update study_user_attributes set value_json = ? where key = 'task'", (odd,)) for odd in ODD],
    ("delete from study_user_attributes where key = 'task'", ()),
]


@pytest.mark.parametrize("statement", STUDY, ids=range(len(STUDY)))
def test_studies_of_other_tasks(place, statement):
    assert place.refuses(place.changed(statement))


COLUMNS = [
    (table, column)
    for table, columns in {
        "studies": ["study_name"],
        "study_system_attributes": ["key", "value_json"],
        "study_user_attributes": ["key", "value_json"],
        "trials": ["number", "study_id", "state", "datetime_start", "datetime_complete"],
        "trial_params": ["trial_id", "param_name", "param_value", "distribution_json"],
        "trial_values": ["trial_id", "objective", "value", "value_type"],
        "trial_user_attributes": ["trial_id", "key", "value_json"],
        "trial_system_attributes": ["key", "value_json"],
        "trial_heartbeats": ["heartbeat"],
        "version_info": ["schema_version", "library_version"],
    }.items()
    for column in columns
]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(COLUMNS),
    st.sampled_from(ODD) | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=9),
)
def test_rows(place, where, odd):
    """60: any value in any column, of one row."""
    table, column = where
    if isinstance(odd, str):
        odd = odd.encode(errors="replace").decode()
    statement = f"update or ignore {table} set {column} = ? where rowid = (select max(rowid) from {table})"
    try:
        content = place.changed((statement, (odd,)))
    except sqlite3.IntegrityError:
        return
    place.refuses(content)


def test_what_is_no_file(place, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere.db")
    before = {*os.listdir(tmp_path)}
    for name in sorted(before):
        assert one_sentence(lambda name=name: open_study(f"sqlite:///{tmp_path / name}", "one", place.task)), name
    assert {*os.listdir(tmp_path)} == before


def test_a_database_that_another_process_has_locked(place, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    (path := tmp_path / "study.db").write_bytes(place.healthy)
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        with pytest.raises(ValueError, match=r"cannot be opened at sqlite.*: database is locked\.$"):
            open_study(f"sqlite:///{path}", "one", place.task)
        other.rollback()
    assert path.read_bytes() == place.healthy


def test_what_a_killed_process_left_half_written_is_put_right(place, tmp_path):
    """Its journal lies beside the file: it is ours, and goes on."""
    path = tmp_path / "study.db"
    path.write_bytes(place.healthy)
    code = (
        "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('pragma cache_size = 1');"
        "d.execute('begin'); d.execute(\"update trials set state = 'FAIL'\");"
        'd.execute("create table t as with recursive n(i) as (select 1 union all select i + 1 from n limit 9999) '
        'select i, hex(randomblob(200)) from n"); os._exit(1)'
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert (tmp_path / "study.db-journal").exists()
    opened = open_study(f"sqlite:///{path}", "one", place.task)
    assert len(completed(opened, place.task)) == 2
    opened._storage._backend.engine.dispose()


@pytest.mark.parametrize("url", ["postgresql+nothing://me:secret@host/db", "mysql+nothing://me:secret@host/db"])
def test_passwords_are_not_repeated(place, url):
    with pytest.raises(ValueError, match="cannot be opened at") as refused:
        open_study(url, "one", place.task)
    assert "secret" not in str(refused.value)
    assert "secret" not in shown(url)


FILES = {
    "notes": b"milk, eggs",
    "theirs": "create table moz_places (id integer primary key, url text)",
    "a study": "create table studies (study_id integer, study_name text)",
}


@pytest.mark.parametrize("name", FILES)
def test_the_command_leaves_what_is_not_its_own(name, tmp_path, capsys):
    path, content = tmp_path / "<b>.db", FILES[name]
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as theirs:
            theirs.execute(content)
            theirs.commit()
    before = path.read_bytes()
    given = ["--model", "signs-cnn", "--device", "cpu", "--pictures", "gallery", "--n", "1", "--check", "0"]
    assert main(["tune", *given, "--storage", f"sqlite:///{path}", "--study", "[x](http://example.com)"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["<b>.db"]


def test_the_page_says_what_is_wrong_with_a_study_and_goes_on(place, tmp_path, monkeypatch):
    """Whatever lies where its study should be, the page is drawn, with one sentence, and leaves it."""
    monkeypatch.setattr(search, "file_for", lambda _key, _suffix: tmp_path / "run.db")
    another = place.changed(("update studies set study_name = 'signs-resnet'", ()))
    wrong = [b"milk, eggs", another, place.healthy[:5000], place.changed(("drop table trials", ()))]
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {"part": "Find the best for me", "signs": "1", "trials": "10", "base_steps": "5"}.items():
        app.query_params[name] = value
    app.switch_page("explorer/views/tune.py")
    for content in wrong:
        long_runs.long_runs.clear()
        (tmp_path / "run.db").write_bytes(content)
        app.run()
        assert not app.exception
        (error,) = app.error
        assert "The study" in error.value
        assert (tmp_path / "run.db").read_bytes() == content
    assert os.listdir(tmp_path) == ["run.db"]
