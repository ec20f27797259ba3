"""The queue: order, progress, cancelling, deadlines, errors, and one newest job per owner."""

import subprocess
import sys
import threading
import time
import weakref

import pytest

from explorer.jobs import AGAIN, Job, JobQueue, QueueFull, queue_for

SOON = 5.0  # seconds within which anything here happens


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue("test", limit=3)


class Gate:
    """Work that starts, then waits until it is told to go on (or asked to stop)."""

    def __init__(self) -> None:
        self.started, self.go = threading.Event(), threading.Event()

    def __call__(self, job: Job) -> str:
        self.started.set()
        while not self.go.wait(0.005):
            job.report(1, 2, "half way")
            if job.should_stop:
                return "best so far"
        return "finished"


@pytest.fixture
def gate(queue: JobQueue):
    gate = Gate()
    yield gate
    gate.go.set()


def start(queue: JobQueue, gate: Gate, owner: str = "first", **settings) -> Job:
    job = queue.submit(gate, owner=owner, **settings)
    assert gate.started.wait(SOON)
    return job


def test_work_is_done_in_order_and_its_result_kept(queue):
    order = []
    jobs = [queue.submit(lambda job, i=i: order.append(i) or i * i, owner=i) for i in range(3)]
    assert all(job.wait(SOON) for job in jobs)
    assert order == [0, 1, 2]
    assert [job.result for job in jobs] == [0, 1, 4]
    assert {job.state for job in jobs} == {"done"}


def test_progress_is_seen_while_it_runs(queue, gate):
    job = start(queue, gate)
    assert job.state == "running"
    while job.total == 0:
        assert not job.ended
    assert (job.done, job.total, job.text) == (1, 2, "half way")
    gate.go.set()
    assert job.wait(SOON)
    assert job.seconds > 0


def test_a_cancelled_job_keeps_what_it_had_found(queue, gate):
    job = start(queue, gate)
    job.cancel()
    assert job.wait(SOON)
    assert (job.state, job.result, job.error) == ("cancelled", "best so far", None)


def test_a_job_past_its_deadline_is_asked_to_stop_and_counts_as_done(queue, gate):
    job = start(queue, gate, deadline=0.02)
    assert job.wait(SOON)
    assert (job.state, job.result) == ("done", "best so far")


def test_a_queued_job_that_is_cancelled_never_starts(queue, gate):
    start(queue, gate)
    job = queue.submit(lambda job: pytest.fail("it ran"), owner="second")
    job.cancel()
    assert job.ended
    gate.go.set()
    assert queue.submit(lambda job: 1, owner="third").wait(SOON)
    assert (job.state, job.error) == ("cancelled", None)


def test_errors_are_stored_and_the_worker_lives_on(queue):
    def broken(job: Job) -> None:
        raise SystemExit("no")

    job = queue.submit(broken, owner="first")
    assert job.wait(SOON)
    assert job.state == "failed"
    assert isinstance(job.error, SystemExit)
    after = queue.submit(lambda job: 7, owner="first")
    assert after.wait(SOON)
    assert after.result == 7


def test_places_in_the_queue_count_only_the_living(queue, gate):
    running = start(queue, gate)
    second, third = (queue.submit(lambda job: None, owner=name) for name in ("second", "third"))
    assert [queue.ahead(job) for job in (running, second, third)] == [0, 1, 2]
    second.cancel()
    assert queue.ahead(third) == 1
    gate.go.set()
    assert third.wait(SOON)
    assert queue.ahead(third) == 0


def test_a_full_queue_says_so_and_leaves_everyone_their_place(queue, gate):
    running = start(queue, gate)
    waiting = [queue.submit(lambda job: None, owner=i) for i in range(3)]
    with pytest.raises(QueueFull, match="3 runs are waiting already"):
        queue.submit(lambda job: None, owner="first")
    assert not any(job.should_stop for job in [running, *waiting])
    assert queue.submit(lambda job: None, owner=2) is not None  # takes its own older job's place


@pytest.mark.parametrize("older_runs", [True, False])
def test_a_newer_job_of_the_same_owner_takes_the_place_of_the_older(queue, gate, older_runs):
    running = start(queue, gate, owner="me" if older_runs else "another")
    older = running if older_runs else queue.submit(lambda job: "old", owner="me")
    newer = queue.submit(lambda job: "new", owner="me")
    assert older.wait(SOON)
    assert (older.state, older.result, older.error) == ("cancelled", None, None)
    gate.go.set()
    assert newer.wait(SOON)
    assert newer.result == "new"


def test_waiting_gives_up_after_its_timeout(queue, gate):
    assert not start(queue, gate).wait(0.01)


def test_a_device_has_one_queue():
    assert queue_for("cpu") is queue_for("cpu")
    assert queue_for("cpu") is not queue_for("cuda:0")


def test_many_owners_at_once_lose_nothing():
    queue = JobQueue("crowd", limit=100)
    results = []

    def person(owner: int) -> None:
        for _ in range(5):
            last = queue.submit(lambda job: owner, owner=owner)
        assert last.wait(SOON)
        results.append(last.result == owner)

    people = [threading.Thread(target=person, args=(owner,)) for owner in range(20)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    assert results == [True] * 20


def test_abandoning_ends_everything_that_runs_or_waits(queue, gate):
    running = start(queue, gate)
    waiting = queue.submit(lambda job: pytest.fail("it ran"), owner="second")
    queue.abandon(seconds=SOON)
    assert (running.state, waiting.state) == ("cancelled", "cancelled")


def test_leaving_in_the_middle_of_a_job_is_a_clean_exit():
    program = """
import torch
from explorer.jobs import queue_for

def work(job):
    while True:
        job.report(0, 1)
        torch.rand(200, 200) @ torch.rand(200, 200)

queue_for("cpu").submit(work, owner="me")
while not queue_for("cpu")._running:
    pass
"""
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (left.returncode, left.stderr) == (0, "")


def test_long_work_ends_its_turn_while_others_wait_and_is_called_again(queue, gate):
    order = []

    def long(job: Job) -> object:
        order.append("long")
        if len(order) == 1:
            gate.started.set()
            assert gate.go.wait(SOON)
        return AGAIN if job.others_wait() else "finished"

    job = queue.submit(long, owner="me")
    assert gate.started.wait(SOON)
    other = queue.submit(lambda job: order.append("other"), owner="another")
    gate.go.set()
    assert job.wait(SOON)
    assert other.ended
    assert order == ["long", "other", "long"]
    assert (job.state, job.result) == ("done", "finished")


def test_the_turns_of_a_job_share_one_deadline_and_can_be_cancelled_between(queue, gate):
    turns = []

    def long(job: Job) -> object:
        turns.append(job.should_stop)
        time.sleep(0.01)
        return None if job.should_stop else AGAIN

    job = queue.submit(long, owner="me", deadline=0.05)
    assert job.wait(SOON)
    assert len(turns) > 1
    assert job.seconds > 0.05

    blocked = start(queue, gate)
    job = queue.submit(lambda job: AGAIN, owner="me")
    job.cancel()
    assert (job.state, job.result) == ("cancelled", None)
    gate.go.set()
    assert blocked.wait(SOON)


def test_a_failed_job_keeps_its_error_and_nothing_that_its_work_had_in_hand(queue, caplog):
    class Large:
        pass

    held = []

    def broken(job: Job) -> None:
        tensor = Large()
        held.append(weakref.ref(tensor))
        try:
            raise MemoryError("of the device")
        except MemoryError as error:
            raise RuntimeError("one sentence") from error

    job = queue.submit(broken, owner="first")
    assert job.wait(SOON)
    assert (job.state, str(job.error)) == ("failed", "one sentence")
    assert "of the device" in caplog.text, "the log tells the whole story"
    assert held[0]() is None


def test_what_is_wrong_with_what_was_asked_is_no_entry_in_the_log(queue, caplog):
    def refuse(job: Job) -> None:
        raise ValueError("choose another target")

    assert queue.submit(refuse, owner="first").wait(SOON)
    assert caplog.text == ""


def test_a_job_that_has_ended_lets_go_of_its_work(queue):
    def work(job: Job) -> int:
        return 7

    job, alive = queue.submit(work, owner="first"), weakref.ref(work)
    assert job.wait(SOON)
    del work
    assert (job.result, alive()) == (7, None)
