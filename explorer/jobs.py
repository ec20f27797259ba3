"""Work that takes a while: one bounded queue per device, one worker each, with progress, cancelling and a deadline.

A person waits for one thing at a time: a new job of the same owner takes the place of the older one. Long work takes
turns: while others wait, it ends its turn and goes to the end of the line.
"""

import atexit
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Literal

from explorer.fetching import FetchFailed

_log = logging.getLogger(__name__)

State = Literal["queued", "running", "done", "failed", "cancelled"]

LIMIT = 16  # jobs that may wait on one device
DEADLINE = 120.0  # seconds of work after which a job is asked to stop
EXPECTED = (ValueError, FetchFailed)  # errors whose message tells a person what is wrong: no news for the log
AGAIN = object()  # what work returns to end its turn: it is called again when those who wait have had theirs


class QueueFull(Exception):
    """Too many jobs are waiting; the message says so in one sentence."""


class Superseded(Exception):
    """Raised inside a job whose owner has asked for something newer: nobody waits for its result."""


class Job:
    """One piece of work. Its work reports progress and asks whether to stop; its owner watches, waits, cancels.

    A cancelled job may still have a result: what the work had found when it was asked to stop.
    """

    def __init__(self, work: Callable[["Job"], Any], owner: Hashable, deadline: float) -> None:
        self.owner = owner
        self.state: State = "queued"
        self.done, self.total, self.text = 0, 0, ""
        self.result: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0  # of work, once it has ended
        self.others_wait: Callable[[], bool] = lambda: False  # for long work: whether to end its turn
        self._work = work
        self._deadline = deadline
        self._earlier = 0.0  # seconds of the turns before this one
        self._started = 0.0
        self._cancelled = threading.Event()
        self.superseded = False  # nobody waits for its result: its owner has asked for something newer
        self._turn = threading.Lock()  # a queued job either starts or is cancelled, never both
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def should_stop(self) -> bool:
        """For the work: True once it is cancelled or its deadline is over. Finish with what there is."""
        overdue = self.state == "running" and self._worked() > self._deadline
        return self._cancelled.is_set() or overdue

    def report(self, done: float, total: float, text: str = "") -> None:
        """For the work: say how far it is. Raises Superseded if it need not go on at all."""
        if self.superseded:
            raise Superseded
        self.done, self.total, self.text = done, total, text

    def cancel(self) -> None:
        """Ask the work to stop; if it has not begun, it never will."""
        with self._turn:
            self._cancelled.set()
            if self.state == "queued":
                self._end("cancelled")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended; False if `timeout` seconds were not enough."""
        return self._ended.wait(timeout)

    def _supersede(self) -> None:
        self.superseded = True
        self.cancel()

    def _run(self) -> None:
        with self._turn:
            if self.ended:
                return
            self._started, self.state = time.monotonic(), "running"
        try:
            result = self._work(self)
        except Superseded:
            self._end("cancelled")
        except BaseException as error:  # whatever it is, it belongs to the owner, and the worker must live on
            if not isinstance(error, EXPECTED):
                _log.error("A job failed.\n%s", "".join(traceback.format_exception(error)))  # text holds no frames
            self.error = _without_frames(error)
            self._end("failed")
        else:
            with self._turn:
                if result is AGAIN and not self._cancelled.is_set():
                    self._earlier, self._started, self.state = self._worked(), 0.0, "queued"
                    return
            self.result = None if result is AGAIN else result
            self._end("cancelled" if self._cancelled.is_set() else "done")

    def _worked(self) -> float:
        return self._earlier + (time.monotonic() - self._started if self._started else 0.0)

    def _end(self, state: State) -> None:
        self.seconds = self._worked()
        self.state = state
        self._work = None  # and with it what it was about: the owner may keep the job for long
        self._ended.set()


def _without_frames(error: BaseException) -> BaseException:
    """The same error without the frames that it went through, and without what led to it: their variables, tensors on a
    GPU among them, would live as long as the owner keeps the error.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class JobQueue:
    """First come, first served, by one worker thread."""

    def __init__(self, name: str = "cpu", limit: int = LIMIT) -> None:
        self._limit = limit
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._newest: dict[Hashable, Job] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._serve, name=f"jobs-{name}", daemon=True).start()

    def submit(self, work: Callable[[Job], Any], owner: Hashable, deadline: float = DEADLINE) -> Job:
        """Queue `work`; the owner's older job, if any, is cancelled. Raises QueueFull when too many wait."""
        with self._changed:
            if sum(not job.ended and job.owner != owner for job in self._waiting) >= self._limit:
                raise QueueFull(f"{self._limit} runs are waiting already: please try again in a minute.")
            if owner in self._newest:
                self._newest[owner]._supersede()
            job = self._newest[owner] = Job(work, owner, deadline)
            job.others_wait = lambda: any(not other.ended for other in [*self._waiting])
            self._waiting.append(job)
            self._changed.notify()
        return job

    def ahead(self, job: Job) -> int:
        """How many jobs come before this one: 0 once it is running or has ended."""
        with self._changed:
            if job not in self._waiting or job.ended:
                return 0
            waiting = [other for other in self._waiting if not other.ended]
            return waiting.index(job) + (self._running is not None)

    def abandon(self, seconds: float) -> None:
        """Cancel everything and wait, at most so many seconds, until nothing runs."""
        with self._changed:
            jobs = [*self._waiting, *([self._running] if self._running else [])]
            for job in jobs:
                job._supersede()
        for job in jobs:
            job.wait(seconds)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                self._running = self._waiting.popleft()
            self._running._run()
            with self._changed:
                if not self._running.ended:
                    self._waiting.append(self._running)
                elif self._newest.get(self._running.owner) is self._running:
                    del self._newest[self._running.owner]
                self._running = None


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
