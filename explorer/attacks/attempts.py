"""Attempts with at most k units, one after another, each image with a k of its own: the smallest k that fools. Ours.

For attacks that are told k and find a picture that fools, or none. By halving, as one looks for a name in a book: where
k units fool, fewer are tried; where they do not, more, at first twice as many.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.problem import Problem
from explorer.attacks.stage import State
from explorer.knobs import again, knob
from explorer.types import Images, PerImage

SEARCH = 12  # attempts: enough to go from 20 units to the exact number up to 200, or from 1 to 64


@dataclass(frozen=True)
class Budgeted(Attack):
    """An attack that is told k; each adds its own settings, and how long an attempt is."""

    k: int = knob(20, "Units that may change at most; with `smallest`, the first number that is tried.",
                  label="k · pixels that may change", low=1, high=10**6, slider=(1, 100))  # fmt: skip
    smallest: bool = knob(
        False, "Search for the smallest k that fools, by halving, in up to twelve attempts (not in the paper)."
    )
    prune: bool = again(Attack, "prune", False)
    polish: bool = again(Attack, "polish", False)

    @property
    def length(self) -> int:
        """Steps of an attempt."""
        raise NotImplementedError

    @property
    def attempts(self) -> "Attempts":
        return Attempts(self.length, self.smallest)

    @property
    def rounds(self) -> int:
        return self.attempts.rounds


@dataclass(frozen=True)
class Attempts:
    """What comes after an attempt of `length` steps."""

    length: int
    smallest: bool  # False: one attempt

    @property
    def rounds(self) -> int:
        return self.length * (SEARCH if self.smallest else 1)

    def start(self, problem: Problem, k: int) -> State:
        """Before the first attempt, with k units or as many as may change."""
        ks = torch.full_like(problem.labels, k).minimum(self._most(problem))
        nothing = torch.zeros_like(ks)
        return {
            "k": ks,
            "age": nothing,  # steps of this attempt
            "missed": nothing,  # the largest k that did not fool
            "fewest": torch.full_like(ks, problem.free.shape[1] + 1),  # units that fooled
            "finished": torch.zeros_like(ks, dtype=torch.bool),
        }

    def after(self, problem: Problem, state: State, candidate: Images, margin: PerImage) -> State:
        """After a step that has judged `candidate`. Where `age` is 0 again, an attempt with another `k` begins."""
        k, most, fools, age = state["k"], self._most(problem), margin < 0, state["age"] + 1
        fewest = torch.where(fools, state["fewest"].minimum(problem.changed(candidate).sum(1)), state["fewest"])
        over = fools | (age >= self.length)
        missed = torch.where(over & ~fools, k, state["missed"])
        known = fewest <= most
        tried = torch.where(known, (missed + fewest) // 2, (2 * k).minimum(most)).clamp_min(1)
        done = torch.where(known, fewest - missed <= 1, missed >= most)
        return {
            "k": torch.where(over, tried, k) if self.smallest else k,
            "age": torch.where(over, 0, age),
            "missed": missed,
            "fewest": fewest,
            "finished": over & done if self.smallest else over,
        }

    @staticmethod
    def _most(problem: Problem) -> Tensor:
        free = problem.free.sum(1)
        return free if problem.max_units is None else free.clamp_max(problem.max_units)


def largest(problem: Problem, scores: Tensor, k: Tensor) -> Tensor:
    """A mask (b, n) of the k (b,) >= 1 units with the largest scores (b, n); of equal ones, the first."""
    most = int(k.max()) if problem.peeks else scores.shape[1]
    least = scores.topk(most, dim=1).values.gather(1, k[:, None] - 1)
    above, level = scores > least, scores == least
    return above | (level & (level.cumsum(1) <= (k - above.sum(1))[:, None]))


def redrawn(problem: Problem, rows: Tensor, values: Tensor, draw: Callable[[], Tensor]) -> Tensor:
    """`values` (b, ...), and where `rows` (b,) holds what `draw` gives instead; it is not asked if nobody needs it."""
    if problem.peeks and not rows.any():
        return values
    return torch.where(rows.view(-1, *[1] * (values.ndim - 1)), draw(), values)
