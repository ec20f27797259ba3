"""The log of finished jobs: a line for each, what it cost, and nothing of who asked or what is in it."""

import json
import re
import threading

import pytest
from app_page import open_page, png, story

from explorer.jobs import Job, JobQueue, Part, check_log
from explorer.ui.caches import classifier, content_of

KEYS = ["time", "kind", "network", "device", "waited", "worked", "batch", "outcome"]
SOON = 5.0


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "jobs.log"
    monkeypatch.setenv("EXPLORER_LOG", str(path))
    return path


def lines(path) -> list[dict]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert all([*line] == KEYS for line in found)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}\+00:00", line["time"]) for line in found)
    return found


def hold(queue: JobQueue) -> threading.Event:
    """Keep the queue busy until the event is set."""
    started, go = threading.Event(), threading.Event()
    queue.submit(lambda job: started.set() or go.wait(SOON), owner="holder", kind="hold")
    assert started.wait(SOON)
    return go


def test_every_way_to_end_has_its_line(path):
    def fail(job: Job) -> None:
        raise ValueError("stop-1.png of Ada cannot be read")

    queue = JobQueue("device")
    go = hold(queue)
    queue.submit(lambda job: 1, owner="Ada", kind="left")
    newer = queue.submit(lambda job: 1, owner="Ada", kind="newer", network="0123456789abcdef")
    bad = queue.submit(fail, owner="Bob", kind="bad")
    stopped = queue.submit(lambda job: 1, owner="Cleo", kind="stopped")
    stopped.cancel()
    go.set()
    assert newer.wait(SOON)
    assert bad.wait(SOON)
    found = {line["kind"]: line for line in lines(path)}
    assert {kind: line["outcome"] for kind, line in found.items()} == {
        "left": "left",
        "stopped": "cancelled",
        "hold": "done",
        "newer": "done",
        "bad": "failed",
    }
    assert found["newer"]["network"] == "0123456789ab"
    assert {line["device"] for line in found.values()} == {"device"}
    assert found["stopped"]["worked"] == 0
    assert not re.search(r"Ada|Bob|Cleo|stop-1", path.read_text())


def test_what_is_done_together_says_so(path):
    def together(rows) -> None:
        for row in rows:
            row.settle(row.what)

    queue = JobQueue("device")
    go = hold(queue)
    questions = [1, 2, 3, 3]  # two ask the same
    jobs = [
        queue.submit(Part("kind", each, each, together), owner=number, kind="batch")
        for number, each in enumerate(questions)
    ]
    go.set()
    assert all(job.wait(SOON) for job in jobs)
    assert [line["batch"] for line in lines(path) if line["kind"] == "batch"] == [3] * 4


def test_a_visit_leaves_neither_its_pictures_nor_their_names(path):
    app = open_page().segmented_control(key="source").set_value("Upload").run()
    picture = png((91, 61))  # that no other test asks about
    app.file_uploader(key="upload").set_value([("Adas-holidays.png", picture, "image/png")]).run()
    assert "→" in story(app)
    found = lines(path)
    (attack,) = [line for line in found if line["kind"] == "attack"][-1:]
    assert attack["outcome"] == "done"
    assert attack["network"] == content_of(classifier("signs-resnet"))[:12]
    assert attack["worked"] > 0
    assert attack["waited"] >= 0
    assert "Adas" not in path.read_text()


def test_it_is_off_by_default_and_goes_to_stderr_if_asked(monkeypatch, capsys):
    monkeypatch.delenv("EXPLORER_LOG", raising=False)
    queue = JobQueue("device")
    assert queue.submit(lambda job: 1, owner=1, kind="quiet").wait(SOON)
    monkeypatch.setenv("EXPLORER_LOG", "-")
    assert queue.submit(lambda job: 1, owner=1, kind="loud").wait(SOON)
    told = capsys.readouterr()
    assert told.out == ""
    assert json.loads(told.err)["kind"] == "loud"


def test_a_place_that_cannot_be_written_is_one_sentence_and_stops_no_job(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_LOG", str(tmp_path))
    with pytest.raises(ValueError, match=r"^EXPLORER_LOG names a file that cannot be written, .*directory\.$"):
        check_log()
    job = JobQueue("device").submit(lambda job: 7, owner=1)
    assert job.wait(SOON)
    assert job.result == 7
