"""Hundreds of files of grids that nobody should hand over: what does not fit counts as not done, and nothing breaks."""

import base64
import json
import os
import random
import zlib
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.__main__ import main
from explorer.studies import Ledger, Study, Subject, Terms, grid, means, to_table
from explorer.studies.measures import unpack
from tests.test_malformed import JSON_ODD, one_sentence
from tests.test_tuning import BASE, make_task

VALUES = {"a": (0.1, 0.3), "lam": (1.0,)}
ODD = [*JSON_ODD, -(2**70), "=cmd|' /C calc'!A0", "<img src=http://example.com>", {"x": [1]}, "COMPLETE"]


@pytest.fixture(scope="module")
def subject() -> Subject:
    task = make_task()
    return Subject("mine", task.network, task.images, task.labels)


@pytest.fixture(scope="module")
def healthy(subject, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("ledger") / "sweep.jsonl"
    study = Study([subject], grid(BASE, VALUES), Ledger(path))
    while study.advance():
        pass
    return path.read_bytes()


def use(subject: Subject, path: Path) -> int:
    """What the page and the command do with a ledger; how many runs are done."""
    study = Study([subject], grid(BASE, VALUES), Ledger(path))
    if rows := study.rows():
        means(to_table(rows), ["a"])
        for run, row in zip((run for run in study.runs if run.key in study.ledger.rows), rows, strict=True):
            unpack(subject.images[run.index], row["changes"])
    return study.done


def lines_of(content: bytes) -> list[dict]:
    return [*map(json.loads, content.splitlines())]


def written(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_healthy_one_is_done(subject, healthy, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(healthy)
    assert use(subject, tmp_path / "x.jsonl") == 8


def test_bytes(subject, healthy, tmp_path):
    """80: cut off, turned bits, parts left out or doubled."""
    path = tmp_path / "x.jsonl"
    for seed in range(80):
        chance, content = random.Random(seed), bytearray(healthy)
        for _ in range(chance.randrange(1, 9)):
            at = chance.randrange(len(content) - 99)
            what = chance.randrange(4)
            if what == 0:
                content[at] ^= 1 << chance.randrange(8)
            elif what == 1:
                del content[at : at + chance.randrange(99)]
            elif what == 2:
                content[at:at] = content[at : at + chance.randrange(99)]
            else:
                content[at:at] = chance.choice([b"\n", b"\x00", b"\xff", b"[" * 9999, b"1e999", b"NaN"])
        path.write_bytes(content)
        assert 0 <= use(subject, path) <= 8
        assert path.read_bytes() == content


def test_values(subject, healthy, tmp_path):
    """120: odd values for every name; what then counts as done has the settings and the kinds that it must have."""
    rows, path = lines_of(healthy), tmp_path / "x.jsonl"
    fine = {
        "network",
        "defence",
        "picture",
        "attack",
        "device",
        "torch",
        "python",
        "picture_sha256",
        "network_sha256",
        "changes",
    }
    for name in rows[0]:
        for odd in random.Random(name).sample(ODD, 2):
            path.write_bytes(written([rows[0] | {name: odd}, *rows[1:]]))
            done = use(subject, path)
            assert done == 7 or (done == 8 and (name in fine or not isinstance(odd, str | list | dict))), (name, odd)
        del (short := dict(rows[0]))[name]
        path.write_bytes(written([short, *rows[1:]]))
        assert use(subject, path) in (7, 8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.text(max_size=9) | st.sampled_from(["key", "n_pixels", "changes"]),
        st.from_type(type(None))
        | st.integers()
        | st.floats()
        | st.text(max_size=9)
        | st.lists(st.integers(), max_size=2),
        max_size=5,
    )
)
def test_rows(subject, healthy, tmp_path_factory, changed):
    rows, path = lines_of(healthy), tmp_path_factory.mktemp("rows") / "x.jsonl"
    path.write_bytes(written([rows[0] | changed, *rows[1:]]))
    assert use(subject, path) in (7, 8)


def test_names_are_those_of_now(subject, healthy, tmp_path):
    """A ledger knows networks and pictures by their content: what they were called then is not repeated."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(healthy.replace(b'"network": "mine"', b'"network": "<b>theirs"'))
    rows = Study([subject], grid(BASE, VALUES), Ledger(path)).rows()
    assert {row["network"] for row in rows} == {"mine"}


def test_runs_on_other_terms_are_not_taken_for_these(subject, healthy, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(healthy)
    assert Study([subject], grid(BASE, VALUES), Ledger(tmp_path / "x.jsonl"), terms=Terms(mixed=False)).done == 0


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


CHANGES = ["x", "====", "\ud800", packed(b"x"), packed(b"\xff" * 7), packed(b"\x7f" * 70), packed(bytes(10**8))[:-9]]


@pytest.mark.parametrize("changes", CHANGES, ids=range(len(CHANGES)))
def test_changes(changes):
    """A picture that was not kept is none, and one that unpacks to 100 MB is not unpacked."""
    found = unpack(torch.zeros(3, 8, 8), changes)
    assert found is None or found.shape == (3, 8, 8)
    assert unpack(torch.zeros(3, 8, 8), packed(bytes(7 * 64 + 7))) is not None


@pytest.mark.parametrize("content", [b"dear diary\n", b"{}\n", b'{"other": 1}\n', b"\x89PNG\r\n", b"[]", b"PK\x03\x04"])
@pytest.mark.parametrize("more", [[], ["--restart"]])
def test_other_peoples_files_are_left_alone(content, more, tmp_path, capsys):
    """`--out data.csv` keeps its runs in data.jsonl: one that is somebody else's is neither added to nor deleted."""
    (tmp_path / "data.jsonl").write_bytes(content)
    given = ["--model", "signs-cnn", "--device", "cpu", "--n", "1", "--steps", "1", "--no-prune", "--no-polish"]
    assert main(["sweep", *given, "--out", str(tmp_path / "data.csv"), *more]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert os.listdir(tmp_path) == ["data.jsonl"]
    assert (tmp_path / "data.jsonl").read_bytes() == content


def test_what_is_no_file(tmp_path):
    (tmp_path / "x.jsonl").mkdir()
    os.mkfifo(tmp_path / "y.jsonl")
    for name in ("x.jsonl", "y.jsonl"):
        assert one_sentence(lambda name=name: Ledger(tmp_path / name))
