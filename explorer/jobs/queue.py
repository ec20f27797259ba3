"""A device's queue: its workers, which serve the line turn by turn, and how long those who wait are likely to."""

import atexit
import os
import threading
import time
from bisect import insort
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch

from explorer.jobs.batch import Batch
from explorer.jobs.job import Job, Part
from explorer.jobs.line import Line, Turn
from explorer.memory import give_back

TOGETHER = 0.6  # of what a run takes alone: what it adds to a batch, about, as measured on the bundled networks
SURE = 0.7, 1.6  # a wait is likely to be between these parts of what is expected
CPU_WORKERS = max(1, min(2, (os.cpu_count() or 1) // torch.get_num_threads()))  # with these threads each
LEARNS = 0.3  # weight of the last turn in what is known of the device's pace
LONG = 2.0  # seconds: after a turn that took longer, what it has freed is given back, which takes some milliseconds


@dataclass(frozen=True)
class Wait:
    """What a job in the line waits for."""

    turns: int  # that come before its own, the running ones among them
    low: float  # seconds until its result is there, likely at least
    high: float  # and at most; 0: nobody knows


@dataclass(frozen=True)
class Running:
    """A turn that a worker is at."""

    turn: Turn
    batch: Batch | None  # None: a job alone
    since: float

    @property
    def questions(self) -> int:
        return max(1, len(self.turn.questions))


class JobQueue:
    """People take turns; what can be done together is."""

    def __init__(self, name: str = "cpu", workers: int = 1) -> None:
        self._name, self._workers = name, workers
        self._line = Line(workers)
        self._running: list[Running] = []  # one of each worker that is not idle
        self._pace = 1.0  # seconds that turns took, per second that was expected
        self._newest: dict[Hashable, Job] = {}
        self._changed = threading.Condition()
        for number in range(workers):
            threading.Thread(target=self._serve, name=f"jobs-{name}-{number}", daemon=True).start()

    def submit(
        self, work: Callable[[Job], Any] | Part, owner: Hashable, deadline: float | None = None, **about: Any
    ) -> Job:
        """Queue `work`, in the place of the owner's older job, if any. `about`: see Job. Nobody is refused: an owner
        has one job at a time.
        """
        job = Job(work, owner, deadline, device=self._name, **about)
        with self._changed:
            older = self._newest.get(owner)
            self._newest[owner] = job
            job.others_wait = self._somebody_waits
            if not any(each.batch and each.batch.join(job) for each in self._running):
                self._line.add(job)
            if older is not None:
                older.supersede()
            self._changed.notify()
        return job

    def wait_of(self, job: Job) -> Wait:
        """What a job waits for; no turns once it is running or has ended."""
        with self._changed:
            idle = [0.0] * (self._workers - len(self._running))
            until = sorted(idle + [self._left(each) for each in self._running])  # each worker is free, in seconds
            for before, turn in enumerate(self._line.turns(self._questions)):
                seconds = until.pop(0) + _expected(turn)
                if job in turn.jobs:
                    return Wait(before + len(self._running), *(part * seconds * self._pace for part in SURE))
                insort(until, seconds)
        return Wait(0, 0.0, 0.0)

    def ahead(self, job: Job) -> int:
        """How many turns come before this job's: 0 once it is running or has ended."""
        return self.wait_of(job).turns

    def _somebody_waits(self) -> bool:
        with self._changed:
            return any(job.look() for job in self._line.jobs)

    @property
    def people(self) -> int:
        """How many wait for a job."""
        with self._changed:
            return sum(not job.ended for job in self._newest.values())

    @property
    def idle(self) -> bool:
        """Whether nothing is worked on."""
        return not self._running

    def abandon(self, seconds: float) -> None:
        """Cancel everything and wait, at most so many seconds, until nothing runs."""
        with self._changed:
            jobs = [*self._line.jobs, *(job for each in self._running for job in each.turn.jobs)]
            for job in jobs:
                job.supersede()
        for job in jobs:
            job.wait(seconds)

    def _serve(self) -> None:
        while True:
            self._serve_turn()

    def _serve_turn(self) -> None:
        """Wait for a turn and do it. Who waits holds nothing of the turn before: no picture, no network."""
        with self._changed:
            while (turn := self._line.take(self._questions)) is None:
                self._forget()
                self._changed.wait()
            running = Running(turn, turn.batch, time.monotonic())
            self._running.append(running)
        (running.batch or turn.jobs[0]).run()
        with self._changed:
            self._learn(running)
            self._running.remove(running)
            for job in turn.jobs:
                if not job.ended:  # it has ended its turn only
                    self._line.add(job)
            self._forget()
        if time.monotonic() - running.since > LONG:
            give_back()

    def _forget(self) -> None:
        for owner, job in [*self._newest.items()]:
            if job.ended:
                del self._newest[owner]

    @property
    def _questions(self) -> int:
        """That are worked on."""
        return sum(each.questions for each in self._running)

    def _left(self, running: Running) -> float:
        """Seconds that a running turn is expected to go on for, at the pace of 1."""
        worked, expected = (time.monotonic() - running.since) / self._pace, _expected(running.turn)
        job = next((each for each in running.turn.jobs if not each.ended), None)
        if job is not None and job.total and job.done:
            share = min(1.0, job.done / job.total)
            expected = max(expected, worked) * (1 - share) + worked
        return max(expected - worked, 0.0)

    def _learn(self, running: Running) -> None:
        expected = _expected(running.turn)
        if expected and all(job.state == "done" for job in running.turn.jobs):
            pace = (time.monotonic() - running.since) / expected
            self._pace = (1 - LEARNS) * self._pace + LEARNS * min(max(pace, 0.1), 20.0)


def _expected(turn: Turn) -> float:
    """Seconds, as it was foretold of each of its jobs alone."""
    alone = [job.expected for job in turn.jobs]
    return max(alone) + TOGETHER * (sum(alone) - max(alone))


_queues: dict[str, JobQueue] = {}
_guard = threading.Lock()


def queue_for(device: str) -> JobQueue:
    """The one queue of this device."""
    with _guard:
        if device not in _queues:
            _queues[device] = JobQueue(device, CPU_WORKERS if device == "cpu" else 1)
        return _queues[device]


@atexit.register
def _leave() -> None:
    """No worker may be inside a library when the interpreter goes: that would end in a crash instead of an exit."""
    for queue in _queues.values():
        queue.abandon(seconds=5)
