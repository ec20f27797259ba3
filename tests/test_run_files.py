"""The files of long runs: made room for without touching what others made, keep in use, or look at."""

import os
import time

import pytest

from explorer.ui import run_files
from explorer.ui.run_files import BEGINNINGS, RESTING, file_for, folder, key_of, make_room


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(run_files, "ROOT", tmp_path)
    folder.clear()
    yield tmp_path
    folder.clear()


def age(path, days: float):
    """Last used so long ago."""
    path.write_bytes(BEGINNINGS.get(path.suffix, b"") + b"content")
    os.utime(path, (time.time() - days * RESTING,) * 2)
    return path


def made(number: int, suffix: str = ".jsonl", days: float = 9.0):
    return age(file_for(key_of(number), suffix), days)


def test_the_runs_that_were_not_used_for_longest_make_room_with_their_journals(runs):
    old, older, new = made(1, days=5), made(2, ".db", days=7), made(3, days=3)
    journal = age(older.with_name(f"{older.name}-journal"), 7)
    make_room((), kept=2)
    assert {*runs.iterdir()} == {old, new}
    assert not journal.exists()


def test_nothing_but_runs_is_ever_touched(runs):
    (runs / "v1.0").mkdir()
    (runs / f"{key_of('folder')}.db").mkdir()
    others = {age(runs / name, 99) for name in ("my thesis.docx", "tune.db", f"{key_of(1)}.csv", "a" * 31 + ".jsonl")}
    made(1)
    before = {*runs.iterdir()}
    make_room((), kept=0)
    assert before - {*runs.iterdir()} == {file_for(key_of(1), ".jsonl")}
    assert others <= {*runs.iterdir()}


def test_what_another_program_calls_by_its_hash_stays(runs):
    for number, suffix in ((1, ".db"), (2, ".jsonl")):
        theirs = made(number, suffix)
        theirs.write_bytes(b"somebody else's")
        os.utime(theirs, (time.time() - 9 * RESTING,) * 2)
    before = {*runs.iterdir()}
    make_room((), kept=0)
    assert {*runs.iterdir()} == before


def test_what_is_in_use_or_was_used_of_late_stays(runs):
    used, late, gone = made(1, days=9), made(2, days=0.5), made(3, days=8)
    make_room({used}, kept=0)
    assert {*runs.iterdir()} == {used, late}
    assert not gone.exists()


def test_a_result_that_is_looked_at_counts_as_used(runs):
    viewed, other = made(1, days=9), made(2, days=3)
    written = viewed.stat().st_mtime_ns
    assert file_for(key_of(1), ".jsonl") == viewed
    make_room((), kept=1)
    assert {*runs.iterdir()} == {viewed}
    assert viewed.stat().st_mtime_ns == written
    assert not other.exists()


def test_asking_for_a_file_makes_and_deletes_nothing(runs):
    old = made(1, days=999)
    assert not file_for(key_of("another"), ".db").exists()
    assert {*runs.iterdir()} == {old}


def test_a_file_that_vanishes_meanwhile_is_no_error(runs, monkeypatch):
    path = made(1)
    listed = [path, runs / f"{key_of(2)}.db"]
    monkeypatch.setattr(type(path), "iterdir", lambda _folder: iter(listed))
    make_room((), kept=0)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_replaced_by_one_of_the_servers_own(runs, monkeypatch):
    (runs / "file").write_text("no folder")
    monkeypatch.setattr(run_files, "ROOT", runs / "file" / "runs")
    folder.clear()
    assert folder().is_dir()
    assert runs not in folder().parents


def test_what_is_no_file_is_not_followed(runs):
    (outside := runs / "outside").mkdir()
    (runs / f"{key_of(1)}.db").symlink_to(outside / "theirs.db")
    (runs / f"{key_of(2)}.jsonl").symlink_to(outside)
    (runs / f"{key_of(3)}.db").mkdir()
    for number, suffix in ((1, ".db"), (2, ".jsonl"), (3, ".db")):
        with pytest.raises(
            ValueError, match=f"{key_of(number)}{suffix} in the folder of this server's runs is no file"
        ):
            file_for(key_of(number), suffix)
    assert [*outside.iterdir()] == []
