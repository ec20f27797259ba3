"""The queue: order, progress, cancelling, deadlines, errors, and one newest job per owner."""

import subprocess
import sys
import threading
import time
import weakref

import pytest

from explorer.jobs import AGAIN, Job, JobQueue, Part, Row, queue_for
from explorer.jobs import queue as jobs_queue
from explorer.jobs.line import Line

SOON = 5.0  # seconds within which anything here happens


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue("test")


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


def test_nobody_is_refused_and_who_asks_again_keeps_the_place(queue, gate):
    start(queue, gate)
    waiting = [queue.submit(lambda job, i=i: i, owner=i) for i in range(40)]
    again = queue.submit(lambda job: "newer", owner=2)
    assert waiting[2].superseded
    assert [queue.ahead(job) for job in (waiting[1], again, waiting[3])] == [2, 3, 4]
    gate.go.set()
    assert waiting[-1].wait(SOON)
    assert again.result == "newer"


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
    queue = JobQueue("crowd")
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


def test_a_worker_that_waits_holds_nothing_of_its_last_turn(queue):
    class Question:
        pass

    question = Question()
    job = queue.submit(Part("kind", "what", question, lambda rows: [row.settle(7) for row in rows], most=3), "first")
    assert job.wait(SOON)
    alive = weakref.ref(question)
    del question, job
    until = time.monotonic() + SOON
    while alive() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert alive() is None


def test_what_a_long_turn_has_freed_is_given_back_when_it_ends(queue, monkeypatch):
    given = threading.Event()
    monkeypatch.setattr(jobs_queue, "give_back", given.set)

    def long(_job: Job) -> bool:
        before = given.is_set()  # after the quick one
        monkeypatch.setattr(jobs_queue, "LONG", 0.0)
        return before

    queue.submit(lambda job: None, owner="quick")
    job = queue.submit(long, owner="long")
    assert job.wait(SOON)
    assert job.result is False
    assert given.wait(SOON)


def test_people_take_turns_however_much_each_has_asked_for(queue, gate):
    order = []
    start(queue, gate)

    def note(what: str, person: str) -> Job:
        return queue.submit(lambda job: order.append(what), owner=what, person=person)

    jobs = [note(f"much {i}", "one") for i in range(4)] + [note("other", "another")]
    gate.go.set()
    assert all(job.wait(SOON) for job in jobs)
    assert order == ["much 0", "other", "much 1", "much 2", "much 3"]


def test_nobody_works_for_who_has_left(queue, gate):
    there = {"first": True, "second": True}
    running = start(queue, gate, wanted=lambda: there["first"])
    waiting = queue.submit(lambda job: pytest.fail("it ran"), owner="second", wanted=lambda: there["second"])
    after = queue.submit(lambda job: "done", owner="third")
    assert queue.ahead(after) == 2
    there["second"] = False
    assert queue.ahead(after) == 1
    there["first"] = False
    assert after.wait(SOON)
    assert (running.state, running.result, waiting.state) == ("cancelled", None, "cancelled")


class Joint:
    """Work that is done together, once it is let go; it notes who was in each batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.started, self.go = threading.Event(), threading.Event()

    def __call__(self, rows: list[Row]) -> None:
        self.batches.append([row.what for row in rows])
        self.started.set()
        while not self.go.wait(0.005) and any(row.wanted for row in rows):
            for row in rows:
                for job in row.tell(1, 2, f"half of {row.what}"):
                    job.settle(f"best of {row.what}")
        for row in rows:
            if row.what == "broken":
                raise ValueError("This one is broken.")
            row.settle(f"all of {row.what}")

    def ask(self, queue: JobQueue, what: str, owner: str, kind: str = "kind", **about) -> Job:
        return queue.submit(Part(kind, what, what, self, most=3), owner=owner, **about)


@pytest.fixture
def joint(queue: JobQueue):
    joint = Joint()
    yield joint
    joint.go.set()


def test_those_who_wait_for_the_same_kind_are_served_together(queue, gate, joint):
    start(queue, gate)
    jobs = [joint.ask(queue, what, owner=what) for what in ("a", "b")]
    other = joint.ask(queue, "x", owner="x", kind="another")
    jobs += [joint.ask(queue, what, owner=what) for what in ("c", "d")]
    assert [queue.ahead(job) for job in (*jobs, other)] == [1, 1, 1, 3, 2]
    joint.go.set()
    gate.go.set()
    assert all(job.wait(SOON) for job in (*jobs, other))
    assert joint.batches == [["a", "b", "c"], ["x"], ["d"]]
    assert [job.result for job in jobs] == ["all of a", "all of b", "all of c", "all of d"]


def test_who_has_stopped_in_a_batch_that_fails_is_let_go(queue, gate):
    started, go = threading.Event(), threading.Event()

    def fails(_rows: list[Row]) -> None:
        started.set()
        go.wait(SOON)
        raise ValueError("It cannot be done.")

    start(queue, gate)
    jobs = [queue.submit(Part("kind", what, what, fails, most=3), owner=what) for what in "ab"]
    gate.go.set()
    assert started.wait(SOON)
    jobs[0].cancel()
    go.set()
    assert all(job.wait(SOON) for job in jobs)
    assert [job.state for job in jobs] == ["cancelled", "failed"]


def test_one_question_of_many_is_answered_once_also_while_it_runs(queue, joint):
    first = joint.ask(queue, "a", owner="first")
    assert joint.started.wait(SOON)
    second = joint.ask(queue, "a", owner="second")
    assert (second.state, queue.ahead(second)) == ("running", 0)
    first.cancel()
    assert first.wait(SOON)
    assert (first.state, first.result) == ("cancelled", "best of a")
    assert not second.ended, "Stop is one person's own"
    joint.go.set()
    assert second.wait(SOON)
    assert (second.result, joint.batches) == ("all of a", [["a"]])


def test_who_leaves_a_batch_ends_only_their_own_part_and_the_last_one_ends_it(queue, gate, joint):
    there = {"a": True, "b": True}
    start(queue, gate)
    jobs = [joint.ask(queue, what, owner=what, wanted=lambda what=what: there[what]) for what in "ab"]
    gate.go.set()
    assert joint.started.wait(SOON)
    there["a"] = False
    assert jobs[0].wait(SOON)
    assert (jobs[0].state, jobs[0].result, jobs[1].state) == ("cancelled", None, "running")
    there["b"] = False
    assert jobs[1].wait(SOON)
    assert queue.submit(lambda job: 1, owner="next").wait(SOON)


def test_an_error_is_its_own_only(queue, gate, joint):
    start(queue, gate)
    jobs = [joint.ask(queue, what, owner=what) for what in ("a", "broken", "c")]
    joint.go.set()
    gate.go.set()
    assert all(job.wait(SOON) for job in jobs)
    assert [job.result for job in jobs] == ["all of a", None, "all of c"]
    assert str(jobs[1].error) == "This one is broken."


def test_the_likely_wait_grows_with_the_line_and_is_less_for_what_is_done_together(queue, gate, joint):
    start(queue, gate, expected=1.0)
    apart = [queue.submit(lambda job: None, owner=i, expected=10.0) for i in range(2)]
    together = [joint.ask(queue, what, owner=what, expected=10.0) for what in "ab"]
    waits = [queue.wait_of(job) for job in (*apart, *together)]
    assert [wait.turns for wait in waits] == [1, 2, 3, 3]
    assert all(0 < wait.low < wait.high for wait in waits)
    assert waits[0].high < waits[1].high < waits[2].high == pytest.approx(waits[3].high, rel=0.05)
    assert waits[2].high < waits[1].high + 2 * (waits[1].high - waits[0].high)


def test_workers_share_out_what_can_be_done_together(joint):
    queue, gates = JobQueue("two", workers=2), [Gate(), Gate()]
    for number, gate in enumerate(gates):
        start(queue, gate, owner=f"gate {number}", expected=1.0)
    jobs = [joint.ask(queue, what, owner=f"{number}", expected=1.0) for number, what in enumerate("abcda")]
    waits = [queue.wait_of(job) for job in jobs]
    assert [wait.turns for wait in waits] == [2, 2, 2, 3, 2], "each worker is busy with one"
    assert waits[3].high < waits[0].high, "they work side by side"
    gates[0].go.set()
    assert joint.started.wait(SOON)
    late = joint.ask(queue, "e", owner="late")
    gates[1].go.set()
    while len(joint.batches) < 2:
        time.sleep(0.005)
    joint.go.set()
    assert all(job.wait(SOON) for job in (*jobs, late))
    assert [*map(sorted, joint.batches)] == [["a", "b", "c"], ["d", "e"]]


def test_a_worker_takes_its_share_of_all_that_is_asked():
    line = Line(workers=2)
    for owner in range(7):
        line.add(Job(Part("kind", owner, owner, print, most=64), owner))
    assert [len(turn.jobs) for turn in line.turns()] == [4, 3]
    assert [len(turn.jobs) for turn in line.turns(running=1)] == [4, 3]
    assert [len(turn.jobs) for turn in line.turns(running=7)] == [7]
