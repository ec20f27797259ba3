"""What a setting does on the pictures of a task, and how two settings differ on them."""

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.attacks import Attack
from explorer.studies.measures import measured
from explorer.studies.plan import Terms
from explorer.studies.tuning.task import Task
from explorer.types import OnStep, Step

TERMS = Terms(kept_pixels=0)
HOPELESS = 1 / 8  # share of the pixels: a trial whose optimised stage leaves more of them on average goes no further


LARGEST = 2**40  # pixels of a picture


class Stopped(Exception):
    """Raised inside a trial that was asked to stop: it goes back to those that wait."""


class Hopeless(Exception):
    """Raised inside a trial whose setting leaves so many pixels that pruning them takes seconds a picture."""


@dataclass(frozen=True)
class Outcome:
    """What one setting did on some pictures."""

    n_pixels: tuple[int | None, ...]  # per picture; None where it was not fooled
    seconds: float  # per picture
    size: int  # pixels of a picture

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> "Outcome":
        """From what dataclasses.asdict made of it, after a database has kept it, into which anybody can write. Raises
        ValueError if it is nothing of the kind.
        """
        counts, seconds, size = (kept.get(name) for name in ("n_pixels", "seconds", "size"))
        good = _whole(size, 1, LARGEST) and isinstance(counts, list | tuple) and len(counts) > 0
        good = good and all(count is None or _whole(count, 0, size) for count in counts)
        good = good and isinstance(seconds, float) and 0 <= seconds < math.inf
        if not good:
            raise ValueError("What is kept of a setting is not of the kind that is expected.")
        return cls(tuple(counts), seconds, size)

    @property
    def success(self) -> float:
        return sum(count is not None for count in self.n_pixels) / len(self.n_pixels)

    @property
    def pixels(self) -> float:
        """Mean of the fooled pictures; the whole picture where none was fooled."""
        fooled = [count for count in self.n_pixels if count is not None]
        return statistics.fmean(fooled) if fooled else float(self.size)


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


@dataclass(frozen=True)
class Difference:
    """Mean difference in pixels between two settings on the pictures that both fooled, with its 95 % interval."""

    mean: float
    half_width: float
    pictures: int

    @classmethod
    def between(cls, one: Sequence[int | None], other: Sequence[int | None]) -> "Difference":
        """`one` less `other`, picture by picture; the interval is 1.96 standard errors, infinite for one picture."""
        each = [a - b for a, b in zip(one, other, strict=True) if a is not None and b is not None]
        if len(each) < 2:
            return cls(statistics.fmean(each) if each else math.nan, math.inf, len(each))
        return cls(statistics.fmean(each), 1.96 * statistics.stdev(each) / math.sqrt(len(each)), len(each))

    @property
    def verdict(self) -> str:
        """fewer, more, equal within error, or not comparable, where both fooled no picture."""
        if not self.pictures:
            return "not comparable"
        if self.mean + self.half_width < 0:
            return "fewer"
        return "more" if self.mean - self.half_width > 0 else "equal within error"

    def __str__(self) -> str:
        if not self.pictures:
            return "no picture was fooled with both"
        return f"{self.mean:+.2f} ± {self.half_width:.2f} pixels on {self.pictures} pictures"


def measure(task: Task, attack: Attack, on_step: OnStep | None = None) -> Outcome:
    """Attack the task's pictures with a setting; one that leaves too many pixels counts as fooling none of them.

    Raises Stopped if `on_step` asks to stop.
    """
    counts: list[int | None] = []
    n_pictures, n_pixels, started = len(task.images), task.images[0, 0].numel(), time.perf_counter()

    def watch(step: Step) -> bool:
        # At the first step after the attack's own: how many those are, their numbers do not say, as an attack may end
        # before its last one, and steps are told of parts of the batch, counted as if they were one run. A step tells
        # of the pictures of its part: it is these that are judged.
        later = step.stage != "optimised"
        if later and attack.prune and statistics.fmean(step.n_pixels.tolist()) > HOPELESS * n_pixels:
            raise Hopeless
        return on_step is not None and bool(on_step(step))

    try:
        rows = measured(task.network, task.images, task.labels, attack, TERMS, watch)
        if rows is None:
            raise Stopped
        counts = [row["n_pixels"] if row["succeeded"] else None for row in rows]
    except Hopeless:
        counts = [None] * n_pictures
    return Outcome(tuple(counts), (time.perf_counter() - started) / n_pictures, n_pixels)
