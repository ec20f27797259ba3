"""sigma-zero (Cina et al., arXiv 2402.01879): a smoothed l0 norm, normalised gradients, an adaptive threshold.

Entry-wise as published, or pixel-wise (ours: squares are summed and the largest change taken over a pixel's channels).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.problem import Problem, as_units
from explorer.attacks.stage import State
from explorer.grid import to_grid
from explorer.knobs import knob
from explorer.numerics import finite
from explorer.types import Images

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's


@dataclass(frozen=True)
class SigmaZero(Attack):
    """Minimise max(0, margin) + mean of d^2 / (d^2 + sigma) by Adam, and cut changes below a threshold that adapts.

    Call it with (network, images, labels). The published attack knows no targets; ours takes the targeted margin.
    """

    title = "σ-zero"
    summary = "Adam on a smoothed count of the changes, with a threshold that rises while the network is fooled."
    source = "arXiv 2402.01879"
    main = ("steps", "sigma", "tau_0")

    steps: int = knob(1000, "Gradient steps.", low=1, high=100_000, slider=(10, 1000))
    sigma: float = knob(
        1e-3, "Sharpness of the smoothed l0 norm: smaller is closer to a count.", label="σ · sharpness",
        low=0, open_low=True, high=1, slider=(1e-4, 1e-1), log=True,
    )  # fmt: skip
    tau_0: float = knob(0.3, "Threshold to start with.", label="τ₀ · first threshold", low=0, high=1, slider=(0, 1))
    tau_factor: float = knob(
        0.01, "Change of the threshold per step, times the step size.", label="change of τ", low=0, high=1,
        slider=(0.001, 0.1), log=True,
    )  # fmt: skip
    step_size: float = knob(
        1.0, "First step of Adam; it falls to a tenth by a cosine.", label="step size", low=0, open_low=True, high=100,
        slider=(0.01, 10), log=True,
    )  # fmt: skip
    unit: str = knob(
        "entry", "What is counted: entries (single channel values, as published) or pixels.", choices=("entry", "pixel")
    )
    prune: bool = knob(False, "Take changes back, one by one, while the picture still fools (not in the paper).")
    polish: bool = knob(False, "Push the survivors and swap them, so that fewer are enough (not in the paper).")

    @property
    def rounds(self) -> int:
        return self.steps

    def start(self, problem: Problem, images: Images) -> State:
        """No change, and Adam at rest."""
        nothing, per_image = torch.zeros_like(images), torch.zeros_like(images[:, 0, 0, 0])
        return {
            "delta": nothing,
            "mean": nothing,
            "square": nothing,
            "tau": torch.full_like(per_image, self.tau_0),
            "candidate": images,
            "margin": per_image,
            "loss": per_image,
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge the change, take one step of Adam, and cut what is below the threshold."""
        images, unit = problem.images, problem.unit
        delta = state["delta"].detach().requires_grad_(True)
        with torch.enable_grad():
            # straight through the 8-bit grid: what is judged is what will be saved
            judged = to_grid(images + delta)
            adversarial = images + delta + (judged - images - delta).detach()
            margin = problem.margins_of(problem.differentiable(adversarial))
            size = as_units(delta.square(), unit).sum(1)
            loss = F.relu(margin) + (size / (size + self.sigma)).sum(1) / images[0].numel()
            (gradient,) = torch.autograd.grad(loss.sum(), delta)
        gradient, delta = finite(gradient), delta.detach()
        gradient = gradient / gradient.flatten(1).abs().amax(1).clamp_min(1e-12)[:, None, None, None]
        mean = BETA_1 * state["mean"] + (1 - BETA_1) * gradient
        square = BETA_2 * state["square"] + (1 - BETA_2) * gradient.square()
        root = (square / (1 - BETA_2 ** (t + 1))).sqrt() + EPSILON
        delta = delta - self._step_size(t - 1) / (1 - BETA_1 ** (t + 1)) * mean / root
        delta = (images + delta).clamp(problem.low, problem.high) - images

        tau = state["tau"] + torch.where(margin < 0, 1, -1) * self.tau_factor * self._step_size(t)
        tau = tau.clamp(0, 1)
        kept = problem.values_of(as_units(delta.abs(), unit).amax(1) >= tau[:, None])
        return {
            "delta": torch.where(kept, delta, 0),
            "mean": mean,
            "square": square,
            "tau": tau,
            "candidate": judged,
            "margin": margin.detach(),
            "loss": loss.detach(),
        }

    def _step_size(self, t: Tensor) -> Tensor:
        """Adam's step after step `t` (); the first is the whole one."""
        falling = 0.1 + 0.45 * (1 + torch.cos(math.pi * t / self.steps))
        return self.step_size * torch.where(t < 0, 1.0, falling)
