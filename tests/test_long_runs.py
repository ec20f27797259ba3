"""The store of long runs: as many as it says, none of them lost between being looked at and being started."""

import threading

import pytest

from explorer.ui import run_files
from explorer.ui.long_runs import LongRun, LongRuns


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(run_files, "ROOT", tmp_path)
    run_files.folder.clear()
    yield tmp_path
    run_files.folder.clear()


def a_run(key: str, advance=lambda _job: False, path=None) -> LongRun:
    return LongRun(key, "test", advance, None, kind="test", path=path)


def test_a_store_of_32_keeps_32():
    store = LongRuns(limit=32)
    for number in range(40):
        store.get(str(number), lambda number=number: a_run(str(number)))
    assert [*store._kept] == [str(number) for number in range(8, 40)]


def test_a_run_is_found_also_where_all_others_are_at_work():
    store, go = LongRuns(limit=2), threading.Event()
    for key in "ab":
        store.start(store.get(key, lambda key=key: a_run(key, lambda _job: go.wait(10) and False)))
    assert store.get("c", lambda: a_run("c")).key == "c"
    assert {*store._kept} == {"a", "b", "c"}, "what works is never let go"
    go.set()


def test_a_run_that_made_room_before_it_was_started_is_in_the_store_again():
    store = LongRuns(limit=1)
    seen = store.get("seen", lambda: a_run("seen"))
    store.get("other", lambda: a_run("other"))
    assert "seen" not in store._kept
    store.start(seen)
    assert store.get("seen", lambda: pytest.fail("a second one")) is seen
    assert seen.job.wait(10)


def test_room_is_made_when_a_run_makes_a_file_and_not_before(runs, monkeypatch):
    asked, path = [], runs / "new.jsonl"
    monkeypatch.setattr("explorer.ui.long_runs.make_room", lambda used, kept: asked.append(used))
    store = LongRuns()
    run = store.get("new", lambda: a_run("new", path=path))
    assert asked == []
    store.start(run)
    assert asked == [{path}]
    assert run.job.wait(10)
    path.touch()
    store.start(run)
    assert len(asked) == 1, "it goes on in its own file"
