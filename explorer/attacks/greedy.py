"""Greedy search: add the pixels that help most, one or a few at a time, until the image fools. Ours.

It needs no a, lambda or tau: from the clean image, the gradient proposes, a forward pass of each proposal decides, and
what was tried is remembered. Then it begins anew with a short sigma-zero, which ends elsewhere and is polished, unless
it is far behind. The better of the two is polished (again), and counts. Use it where only the count matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from explorer.attacks import growing, racing
from explorer.attacks.attack import Attack
from explorer.attacks.problem import Problem
from explorer.attacks.sigma_zero import SigmaZero
from explorer.attacks.stage import Stage, State, held
from explorer.knobs import again, knob
from explorer.types import Images

POLISHING = {  # see Polishing
    "push_within": 0.15,  # of the swaps that are accepted, one in 200 needs a push from further away
    "near_miss": 0.25,
    "few": 2,
}
IN_A_LANE = 3  # of so many candidates one is tried in each of several lanes


@dataclass(frozen=True)
class Greedy(Attack):
    """Add the units that lower the margin most, until the network errs. Call it with (network, images, labels)."""

    title = "Greedy search"
    summary = "Adds the pixels that help most, one or a few at a time, and then looks for fewer: quick, and few pixels."
    source = "ours"
    main = ("steps",)

    steps: int = knob(growing.STEPS, "Rounds in which units are added, at most.", low=1, high=10_000, slider=(10, 200))
    classes: int = knob(
        3, "Wrong classes that are headed for at once, the nearest ones: the first to be reached wins.",
        low=1, high=racing.MOST_LANES, slider=(1, racing.MOST_LANES),
    )  # fmt: skip
    anew: int = knob(
        60, "Steps of a σ-zero that begins anew, before polishing, apart from what was found; 0: none.",
        low=0, high=10_000, slider=(0, 200),
    )  # fmt: skip
    lookahead: float = knob(
        0.05, "For better proposals the gradient is asked once more, after all values went this share of the way to "
        "the end that it points to; 0: it is not.",
        label="look-ahead", low=0, high=1, slider=(0.0, 0.2),
    )  # fmt: skip
    swaps: int = again(Attack, "swaps", 10)
    kicks: int = again(Attack, "kicks", 0)
    candidates: int = again(Attack, "candidates", 24)

    @property
    def rounds(self) -> int:
        return self.steps

    @property
    def polishing(self) -> list[Stage]:
        """With the look-ahead, and pushed where it may help."""
        growing, polishing = super().polishing
        return [growing, replace(polishing, lookahead=self.lookahead, **POLISHING)]

    @property
    def second_starts(self) -> Sequence[Stage]:
        """A short σ-zero, if there is to be one."""
        return [SecondStart(steps=self.anew, unit=self.unit)] if self.anew else []

    def start(self, problem: Problem, images: Images) -> State:
        """The clean image, and nothing tried."""
        return racing.start(problem, self.classes)

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge; where no lane fools yet, push the units that are in, and add the best newcomers in each."""
        lanes = state["aims"].shape[1]
        candidates = self.candidates if lanes == 1 else max(1, self.candidates // IN_A_LANE)
        return racing.race(problem, state, candidates, self.lookahead, t)


@dataclass(frozen=True)
class SecondStart(SigmaZero):
    """A short sigma-zero: a rough image, of which polishing makes another one than of a greedy search."""

    name = "polished"

    def start(self, problem: Problem, images: Images) -> State:
        """No change. Images that fool by one unit cannot get better: they are finished, and stay as they are."""
        margin = problem.margin(images)
        finished = (margin < 0) & (problem.changed(images).sum(1) <= 1)
        return {**super().start(problem, images), "margin": margin, "finished": finished}

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """See SigmaZero."""
        return held(state, {**super().step(problem, state, t), "finished": state["finished"]})
