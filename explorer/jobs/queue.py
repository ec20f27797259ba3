"""A device's queue: one worker, which serves the line turn by turn, and how long those who wait are likely to."""

import atexit
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from explorer.jobs.batch import Batch
from explorer.jobs.job import Job, Part
from explorer.jobs.line import Line, Turn
from explorer.memory import give_back

TOGETHER = 0.6  # of what a run takes alone: what it adds to a batch, about, as measured on the bundled networks
SURE = 0.7, 1.6  # a wait is likely to be between these parts of what is expected
LEARNS = 0.3  # weight of the last turn in what is known of the device's pace
LONG = 2.0  # seconds: after a turn that took longer, what it has freed is given back, which takes some milliseconds


@dataclass(frozen=True)
class Wait:
    """What a job in the line waits for."""

    turns: int  # that come before its own, the running one among them
    low: float  # seconds until its result is there, likely at least
    high: float  # and at most; 0: nobody knows


class JobQueue:
    """People take turns; what can be done together is."""

    def __init__(self, name: str = "cpu") -> None:
        self._name = name
        self._line = Line()
        self._running: Turn | None = None
        self._batch: Batch | None = None
        self._since = 0.0  # when the running turn has begun
        self._pace = 1.0  # seconds that turns took, per second that was expected
        self._newest: dict[Hashable, Job] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._serve, name=f"jobs-{name}", daemon=True).start()

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
            if self._batch is None or not self._batch.join(job):
                self._line.add(job)
            if older is not None:
                older.supersede()
            self._changed.notify()
        return job

    def wait_of(self, job: Job) -> Wait:
        """What a job waits for; no turns once it is running or has ended."""
        with self._changed:
            seconds = self._left() if self._running else 0.0
            for before, turn in enumerate(self._line.turns()):
                seconds += _expected(turn)
                if job in turn.jobs:
                    seconds *= self._pace
                    return Wait(before + (self._running is not None), *(part * seconds for part in SURE))
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
        return self._running is None

    def abandon(self, seconds: float) -> None:
        """Cancel everything and wait, at most so many seconds, until nothing runs."""
        with self._changed:
            jobs = [*self._line.jobs, *(self._running.jobs if self._running else ())]
            for job in jobs:
                job.supersede()
        for job in jobs:
            job.wait(seconds)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while (turn := self._line.take()) is None:
                    self._forget()
                    self._changed.wait()
                self._running, self._batch, self._since = turn, turn.batch, time.monotonic()
            if self._batch is None:
                turn.jobs[0].run()
            else:
                self._batch.run()
            with self._changed:
                self._learn(turn)
                self._running = self._batch = None
                for job in turn.jobs:
                    if not job.ended:  # it has ended its turn only
                        self._line.add(job)
                self._forget()
            if time.monotonic() - self._since > LONG:
                give_back()

    def _forget(self) -> None:
        for owner, job in [*self._newest.items()]:
            if job.ended:
                del self._newest[owner]

    def _left(self) -> float:
        """Seconds that the running turn is expected to go on for, at the pace of 1."""
        worked, expected = (time.monotonic() - self._since) / self._pace, _expected(self._running)
        job = next((each for each in self._running.jobs if not each.ended), None)
        if job is not None and job.total and job.done:
            share = min(1.0, job.done / job.total)
            expected = max(expected, worked) * (1 - share) + worked
        return max(expected - worked, 0.0)

    def _learn(self, turn: Turn) -> None:
        expected = _expected(turn)
        if expected and all(job.state == "done" for job in turn.jobs):
            pace = (time.monotonic() - self._since) / expected
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
            _queues[device] = JobQueue(device)
        return _queues[device]


@atexit.register
def _leave() -> None:
    """No worker may be inside a library when the interpreter goes: that would end in a crash instead of an exit."""
    for queue in _queues.values():
        queue.abandon(seconds=5)
