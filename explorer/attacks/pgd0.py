"""PGD0 (Croce and Hein, arXiv 1909.05040): projected gradient steps onto the pictures with at most k changed pixels.

Each step follows the gradient of the cross-entropy, scaled to an L1 norm of 1, and the projection keeps the k pixels
that are nearest to where the step led, within the box. Ours are: everything is judged on the 8-bit grid, the targeted
loss, entries as units, and the search for the smallest k (attempts.py).
"""

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
from explorer.types import Images


@dataclass(frozen=True)
class PGD0(Budgeted):
    """Raise the cross-entropy by long steps, each projected onto at most `k` changed units within the box.

    Call it with (network, images, labels). The defaults are the authors'; the published attack knows no targets: ours
    lowers the cross-entropy of the target.
    """

    title = "PGD0"
    summary = "Long gradient steps, each cut back to the k pixels that moved furthest, from several random starts."
    source = "arXiv 1909.05040"
    main = ("k", "steps", "restarts")
    presets: ClassVar = {"Find the smallest": {"smallest": True}}

    steps: int = knob(100, "Gradient steps from each start.", low=1, high=100_000, slider=(10, 500))
    restarts: int = knob(5, "Random starts, one after another until one fools.", low=1, high=1000, slider=(1, 20))
    step_size: float = knob(
        120_000 / 255, "L1 norm of a step, in [0, 1] units: so long that it leaves the box.",
        label="step size", low=0, open_low=True, high=1e6, slider=(1.0, 2000.0), log=True,
    )  # fmt: skip

    @property
    def length(self) -> int:
        """Steps of an attempt."""
        return self.steps * self.restarts

    def start(self, problem: Problem, images: Images) -> State:
        """A random point of the box, projected."""
        attempts, keys = self.attempts.start(problem, self.k), keys_of(problem.images, self.seed)
        begin = torch.full((), -1, device=images.device)
        nothing = torch.zeros_like(images[:, 0, 0, 0])
        return {
            "keys": keys,
            "change": _projected(problem, _random(problem, keys, begin), attempts["k"]),
            "candidate": images,
            "margin": nothing,
            "loss": nothing,
            **attempts,
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge, take one step, and project; or begin anew where it is time."""
        change, towards = state["change"], problem.labels if problem.targets is None else problem.targets
        candidate = to_grid(problem.images + change).requires_grad_(True)
        with torch.enable_grad():
            logits = problem.differentiable(candidate)
            loss = F.cross_entropy(logits, towards, reduction="none") * (1 if problem.targets is None else -1)
            (gradient,) = torch.autograd.grad(loss.sum(), candidate)
        margin, candidate = problem.margins_of(logits).detach(), candidate.detach()
        attempts = self.attempts.after(problem, state, candidate, margin)
        gradient = finite(gradient)
        size = gradient.abs().flatten(1).sum(1).clamp_min(1e-30)[:, None, None, None]
        anew = attempts["age"] % self.steps == 0
        change = change + self.step_size * gradient / size
        change = redrawn(problem, anew, change, partial(_random, problem, state["keys"], t))
        judged = {"candidate": candidate, "margin": margin, "loss": loss.detach()}
        change = _projected(problem, change, attempts["k"])
        return held(state, {"keys": state["keys"], "change": change, **judged, **attempts})


def _random(problem: Problem, keys: Tensor, t: Tensor) -> Images:
    """A change to a point of the box, drawn for each image and step."""
    images = problem.images
    drawn = uniform(keys, t, images[0].numel()).view_as(images).to(images.dtype)
    return problem.low + drawn * (problem.high - problem.low) - images


def _projected(problem: Problem, change: Images, k: Tensor) -> Images:
    """The nearest change within the box that touches at most k (b,) units."""
    within = change.clamp(problem.low - problem.images, problem.high - problem.images)
    saved = change.square() - (change - within).square()  # of the distance, if the value is not put back
    units = as_units(within, problem.unit)
    chosen = largest(problem, as_units(saved, problem.unit).sum(1), k)
    return as_images(torch.where(chosen[:, None], units, 0), change)
