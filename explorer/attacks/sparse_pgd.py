"""Sparse-PGD (Zhong et al., arXiv 2405.05075): a change of every pixel, and a mask that says which k of them are made.

Both follow gradients: the change by signed steps, the mask's scores by normalised ones. Ours are: everything is judged
on the 8-bit grid, entries as units, the targeted margin, and the search for the smallest k (attempts.py).

Symbols: `change` (b, c, n) is p, `scores` (b, n) are the mask m~ before its sigmoid.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks.attempts import Budgeted, largest, redrawn
from explorer.attacks.problem import Problem, as_images, as_units
from explorer.attacks.randomness import keys_of, uniform
from explorer.attacks.stage import State, held
from explorer.grid import to_grid
from explorer.knobs import knob
from explorer.numerics import finite
from explorer.types import Images, PerImage

UNSURE = 0.5  # margin in logits below which the loss is the margin, and not the cross-entropy
CHANGE, SCORE, ANGLE = 0, 1, 2  # streams of random numbers


@dataclass(frozen=True)
class SparsePGD(Budgeted):
    """Signed steps on the change, normalised steps on the mask; only the `k` units with the largest scores are changed.

    Call it with (network, images, labels). `backward` says what of the mask the gradient sees: see the knob.
    """

    title = "Sparse-PGD"
    summary = "Learns a change of every pixel and a mask of the k that are made; a mask that is stuck is drawn anew."
    source = "arXiv 2405.05075"
    main = ("k", "steps", "backward")
    presets: ClassVar = {"As in the paper": {"steps": 10_000}, "Find the smallest": {"smallest": True}}

    steps: int = knob(300, "Gradient steps, of each of the two where `backward` is both.", low=1, high=100_000,
                      slider=(10, 1000))  # fmt: skip
    backward: str = knob(
        "both",
        "full: the gradient passes the mask's scores to every pixel (unprojected); sparse: only to the k pixels that "
        "are changed (projected); both: full first, and sparse where that fails.",
        choices=("both", "full", "sparse"),
    )
    step_size: float = knob(0.25, "Step of the change, in [0, 1] units.", label="α · step of the change",
                            low=0, open_low=True, high=1, slider=(0.01, 1.0), log=True)  # fmt: skip
    mask_step: float = knob(
        0.25, "Step of the mask's scores, times the root of the number of pixels.", label="β · step of the mask",
        low=0, open_low=True, high=100, slider=(0.01, 2.0), log=True,
    )  # fmt: skip
    patience: int = knob(3, "Steps after which a mask that has not changed is drawn anew.", low=1, high=100_000,
                         slider=(1, 20))  # fmt: skip

    @property
    def length(self) -> int:
        """Steps of an attempt."""
        return self.steps * (2 if self.backward == "both" else 1)

    def start(self, problem: Problem, images: Images) -> State:
        """A random change and random scores."""
        keys, begin = keys_of(problem.images, self.seed), torch.full((), -1, device=images.device)
        nothing = torch.zeros_like(images[:, 0, 0, 0])
        attempts = self.attempts.start(problem, self.k)
        return {
            "keys": keys,
            "change": _random_change(problem, keys, begin),
            "scores": _random_scores(problem, keys, begin),
            "stuck": torch.zeros_like(attempts["k"]),  # steps for which the mask was the same
            "candidate": images,
            "margin": nothing,
            "loss": nothing,
            **attempts,
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge the change of the k units, and take one step of both; draw anew what is stuck or over."""
        change, scores, keys = state["change"], state["scores"], state["keys"]
        ascent = self.ascend(problem, change, scores, state["k"], self._full(state["age"]))
        attempts = self.attempts.after(problem, state, ascent.candidate, ascent.margin)

        same = (chosen(problem, ascent.scores, state["k"]) == ascent.mask).all(1)
        stuck = torch.where(same, state["stuck"] + 1, 0)
        anew, lost = attempts["age"] % self.steps == 0, stuck >= self.patience
        moved = torch.where(lost[:, None, None], change, ascent.change)
        after = {
            "keys": keys,
            "change": redrawn(problem, anew, moved, partial(_random_change, problem, keys, t)),
            "scores": redrawn(problem, anew | lost, ascent.scores, partial(_random_scores, problem, keys, t)),
            "stuck": torch.where(anew | lost, 0, stuck),
            "candidate": ascent.candidate,
            "margin": ascent.margin,
            "loss": ascent.loss,
        }
        return held(state, after | attempts)

    def ascend(self, problem: Problem, change: Tensor, scores: Tensor, k: Tensor, full: Tensor) -> "Ascent":
        """One step of the change (b, c, n) and of the scores (b, n), from where only the k (b,) units are changed.

        `full` (b,) bool: the gradient passes the scores to all units, and not only to the k.
        """
        images = problem.images
        mask = chosen(problem, scores, k)
        candidate = made(problem, change, mask).requires_grad_(True)
        with torch.enable_grad():
            logits = problem.differentiable(candidate)
            margin = problem.margins_of(logits)
            towards, sign = (problem.labels, 1) if problem.targets is None else (problem.targets, -1)
            entropy = sign * F.cross_entropy(logits, towards, reduction="none")
            loss = torch.where(margin < UNSURE, -margin, entropy)
            (gradient,) = torch.autograd.grad(loss.sum(), candidate)

        gradient, share = as_units(finite(gradient), problem.unit), scores.sigmoid()
        seen = torch.where(full[:, None], share, mask.to(share.dtype))
        low, high = (as_units(end - images, problem.unit) for end in (problem.low, problem.high))
        moved = (change + self.step_size * (gradient * seen[:, None]).sign()).clamp(low, high)
        slope = (gradient * change).sum(1) * share * (1 - share)
        slope = slope / slope.square().sum(1, keepdim=True).sqrt().clamp_min(1e-20)
        raised = scores + self.mask_step * math.sqrt(scores.shape[1]) * slope
        return Ascent(mask, candidate.detach(), margin.detach(), loss.detach(), moved, raised)

    def _full(self, age: Tensor) -> Tensor:
        """Whether the gradient of this step of an attempt passes the scores to all units."""
        return age < self.steps if self.backward == "both" else torch.full_like(age, self.backward == "full") > 0


@dataclass(frozen=True, eq=False)
class Ascent:
    """What one step has judged, and where it went."""

    mask: Tensor  # (b, n): the k units that were changed,
    candidate: Images  # on the grid,
    margin: PerImage
    loss: PerImage
    change: Tensor  # (b, c, n), after the step
    scores: Tensor  # (b, n)


def made(problem: Problem, change: Tensor, mask: Tensor) -> Images:
    """The images with the change (b, c, n) of the units in `mask` (b, n), on the grid."""
    return to_grid(problem.images + as_images(torch.where(mask[:, None], change, 0), problem.images))


def chosen(problem: Problem, scores: Tensor, k: Tensor) -> Tensor:
    """The k units (b, n) with the largest scores, of those that may change."""
    return largest(problem, scores.masked_fill(~problem.free, -torch.inf), k) & problem.free


def _random_change(problem: Problem, keys: Tensor, t: Tensor) -> Tensor:
    """Of every value, to a random point of [-1, 1] around it, cut to the box: (b, c, n)."""
    images = problem.images
    drawn = 2 * uniform(keys, t, images[0].numel(), CHANGE).view_as(images).to(images.dtype) - 1
    return as_units(drawn.clamp(problem.low - images, problem.high - images), problem.unit)


def _random_scores(problem: Problem, keys: Tensor, t: Tensor) -> Tensor:
    """Normally distributed, by the formula of Box and Muller: (b, n)."""
    n = problem.free.shape[1]
    radius = (-2 * (1 - uniform(keys, t, n, SCORE)).log()).sqrt()
    return (radius * (2 * math.pi * uniform(keys, t, n, ANGLE)).cos()).to(problem.images.dtype)
