"""Long work that yields one part after another: it can be stopped between them, and goes on from there."""

from collections.abc import Callable, Iterator
from typing import Any

from explorer.classifiers import Classifier
from explorer.jobs import Job
from explorer.locks import exclusive
from explorer.ui.long_runs import LongRun, long_runs
from explorer.ui.words import duration


class Parts:
    """What the generator that `make` returns has yielded so far, of `total` parts."""

    def __init__(self, clf: Classifier, total: int, make: Callable[[], Iterator[Any]]) -> None:
        self.made: list[Any] = []
        self.total = total
        self._clf, self._make = clf, make
        self._parts: Iterator[Any] | None = None

    @property
    def left(self) -> int:
        return self.total - len(self.made)

    def advance(self, job: Job) -> bool:
        """Make the next part; whether there is more. After an error, the work begins anew."""
        job.report(len(self.made), self.total, f"{len(self.made)} of {self.total} parts")
        try:
            with exclusive(self._clf):
                if self._parts is None:
                    self._parts = self._make()
                self.made.append(next(self._parts))
        except StopIteration:
            return False
        except BaseException:
            self._parts, self.made = None, []
            raise
        return self.left > 0


def parts_run(key: str, clf: Classifier, total: int, make: Callable[[], Iterator[Any]]) -> LongRun:
    """The run of this key: the same one for everybody who asks for the same."""

    def new() -> LongRun:
        parts = Parts(clf, total, make)
        return LongRun(key, str(clf.device), parts.advance, parts, kind="compare")

    return long_runs().get(key, new)


def told(done: int, left: int, what: str, seconds: float) -> str:
    """How much is done and how long the rest is likely to take, in one line."""
    if not left:
        return f"{what}: done."
    takes = f"{duration(seconds)} on this computer, if nobody else uses it"
    return f"{what}: {takes}." if not done else f"Stopped; what is done is kept. The rest takes {takes}."
