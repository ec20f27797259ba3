"""A job: one piece of work that a person waits for, with progress, a deadline, and one way to stop."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from explorer.fetching import FetchFailed
from explorer.jobs.log import log_job
from explorer.limits import limits

if TYPE_CHECKING:
    from explorer.jobs.batch import Row

_log = logging.getLogger(__name__)

State = Literal["queued", "running", "done", "failed", "cancelled"]

EXPECTED = (ValueError, FetchFailed)  # errors whose message tells a person what is wrong: no news for the log
AGAIN = object()  # what work returns to end its turn: it is called again when those who wait have had theirs


class Superseded(Exception):
    """Raised inside a job for whose result nobody waits any more."""


@dataclass(frozen=True)
class Part:
    """Work that can be done together with that of others."""

    kind: Hashable  # parts of one kind can be done together
    question: Hashable  # equal ones have one answer, which is found once
    what: Any  # what there is to do
    together: Callable[[Sequence["Row"]], None]  # does it, and settles every row
    most: int = 64  # rows at a time


class Job:
    """One piece of work. Its work reports progress and asks whether to stop; its owner watches, waits, cancels.

    A cancelled job may still have a result: what the work had found when it was asked to stop.
    """

    def __init__(
        self,
        work: Callable[["Job"], Any] | Part,
        owner: Hashable,
        deadline: float | None = None,
        *,
        person: Hashable = None,
        expected: float = 0.0,
        wanted: Callable[[], bool] = lambda: True,
        kind: str = "",
        network: str = "",
        device: str = "",
    ) -> None:
        """`deadline`: seconds of work after which it is asked to stop, by default the server's limit. `person`: who has
        started it, by default its owner; people take turns. `expected`: seconds that it may take. `wanted`: whether
        somebody is still there to wait for it. `kind`, `network` (its hash) and `device` are for the log.
        """
        self.owner, self.person, self.expected = owner, owner if person is None else person, expected
        self.kind, self.network, self.device = kind, network, device
        self.batch = 1  # questions that are worked on together with this one, itself among them
        self.state: State = "queued"
        self.done, self.total, self.text = 0, 0, ""
        self.result: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0  # of work, once it has ended
        self.waited = 0.0  # seconds in the line, once it has ended
        self.others_wait: Callable[[], bool] = lambda: False  # for long work: whether to end its turn
        self.superseded = False  # nobody waits for its result: its owner asked for something newer, or has left
        self.work = work
        self.deadline = float(limits().run_seconds) if deadline is None else deadline
        self._wanted = wanted
        self._earlier = 0.0  # seconds of the turns before this one
        self._started = 0.0
        self._asked = time.monotonic()
        self._cancelled = threading.Event()
        self._turn = threading.RLock()  # a queued job either starts or is cancelled, never both
        self._ended = threading.Event()

    @property
    def part(self) -> Part | None:
        """What can be done together with others; None: it is done alone."""
        return self.work if isinstance(self.work, Part) else None

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def worked(self) -> float:
        """Seconds of work so far."""
        return self._earlier + (time.monotonic() - self._started if self._started else 0.0)

    @property
    def should_stop(self) -> bool:
        """For the work: True once it is cancelled, its deadline is over or nobody is there any more. Finish with what
        there is.
        """
        self.look()
        overdue = self.state == "running" and self.worked > self.deadline
        return self._cancelled.is_set() or overdue

    def look(self) -> bool:
        """Cancel it if nobody is there to wait for it; whether it goes on."""
        if not self.ended and not self.superseded and not self._wanted():
            self.supersede()
        return not self.ended

    def report(self, done: float, total: float, text: str = "") -> None:
        """For the work: say how far it is. Raises Superseded if it need not go on at all."""
        if self.superseded:
            raise Superseded
        self.tell(done, total, text)

    def tell(self, done: float, total: float, text: str = "") -> None:
        """The same, and nothing is raised."""
        self.done, self.total, self.text = done, total, text

    def cancel(self) -> None:
        """Ask the work to stop; if it has not begun, it never will."""
        with self._turn:
            self._cancelled.set()
            if self.state == "queued":
                self._end("cancelled")

    def supersede(self) -> None:
        """The same, and nobody waits for what it has found."""
        self.superseded = True
        self.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended; False if `timeout` seconds were not enough."""
        return self._ended.wait(timeout)

    def begin(self) -> bool:
        """Its turn has come; False if it has ended before."""
        with self._turn:
            if self.ended:
                return False
            self._started, self.state = time.monotonic(), "running"
            return True

    def run(self) -> None:
        """Do the work, alone."""
        if not self.begin():
            return
        try:
            result = self.work(self)
        except Superseded:
            with self._turn:
                self._end("cancelled")
        except BaseException as error:  # whatever it is, it belongs to the owner, and the worker must live on
            self.fail(error)
        else:
            with self._turn:
                if result is AGAIN and not self._cancelled.is_set():
                    self._earlier, self._started, self.state = self.worked, 0.0, "queued"
                    return
            self.settle(None if result is AGAIN else result)

    def settle(self, result: Any) -> None:
        """End it with this result."""
        with self._turn:
            if not self.ended:
                self.result = None if self.superseded else result
                self._end("cancelled" if self._cancelled.is_set() else "done")

    def fail(self, error: BaseException) -> None:
        """End it with this error."""
        if not isinstance(error, EXPECTED):
            _log.error("A job failed.\n%s", "".join(traceback.format_exception(error)))  # text holds no frames
        with self._turn:
            if not self.ended:
                self.error = _without_frames(error)
                self._end("failed")

    def _end(self, state: State) -> None:
        self.seconds = self.worked
        self.waited = max(0.0, time.monotonic() - self._asked - self.seconds)
        self.state = state
        self.work = None  # and with it what it was about: the owner may keep the job for long
        log_job(self)
        self._ended.set()


def _without_frames(error: BaseException) -> BaseException:
    """The same error without the frames that it went through, and without what led to it: their variables, tensors on a
    GPU among them, would live as long as the owner keeps the error.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
