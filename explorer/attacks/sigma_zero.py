"""sigma-zero (Cina et al., arXiv 2402.01879): a smoothed l0 norm, normalised gradients, an adaptive threshold.

Entry-wise as published, or pixel-wise (ours: squares are summed and the largest change taken over a pixel's channels).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from explorer.attacks.objective import Objective, as_units
from explorer.attacks.parts import run_in_parts
from explorer.attacks.progress import Progress
from explorer.attacks.validation import validated
from explorer.grid import to_grid
from explorer.knobs import check, knob
from explorer.locks import exclusive
from explorer.memory import told
from explorer.numerics import margins
from explorer.types import AttackResult, Images, Labels, Network, OnStep

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's


@dataclass(frozen=True)
class SigmaZero:
    """Minimise max(0, margin) + mean of d^2 / (d^2 + sigma) by Adam, and cut changes below a threshold that adapts.

    Call it with (network, images, labels).
    """

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

    def __post_init__(self) -> None:
        check(self)

    def __call__(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None = None,
        on_step: OnStep | None = None,
    ) -> AttackResult:
        """Attack images (b, 3, h, w) in [0, 1]; as SparseAttack. The published attack knows no targets; ours takes
        the targeted margin for them.
        """
        with exclusive(network), told():
            images, labels, targets = validated(network, images, labels, targets)
            return run_in_parts(self, network, images, labels, targets, on_step)

    def run(
        self, network: Network, images: Images, labels: Labels, targets: Labels | None, on_step: OnStep | None
    ) -> AttackResult:
        """The attack itself, on input that is known to be valid, all images at once."""
        objective = Objective(network, labels, targets)
        progress = Progress(objective, images, unit=self.unit, steps=self.steps, on_step=on_step)
        self._optimise(objective, images, progress)
        return progress.refine(self.prune, self.polish)

    def _optimise(self, objective: Objective, images: Images, progress: Progress) -> None:
        delta = torch.zeros_like(images)
        mean, square = torch.zeros_like(images), torch.zeros_like(images)
        tau = torch.full_like(images[:, 0, 0, 0], self.tau_0)
        step_size = self.step_size
        for step in range(self.steps):
            delta.requires_grad_(True)
            with torch.enable_grad():
                # straight through the 8-bit grid: what is judged is what will be saved
                adversarial = images + delta + (to_grid(images + delta) - images - delta).detach()
                margin = margins(objective.network(adversarial), objective.labels, objective.targets)
                size = as_units(delta.square(), self.unit).sum(1)
                loss = F.relu(margin) + (size / (size + self.sigma)).sum(1) / images[0].numel()
            (gradient,) = torch.autograd.grad(loss.sum(), delta)
            delta = delta.detach()
            if progress.record(to_grid(images + delta), margin.detach(), loss.detach()):
                break
            gradient = gradient / gradient.flatten(1).abs().amax(1).clamp_min(1e-12)[:, None, None, None]
            mean = BETA_1 * mean + (1 - BETA_1) * gradient
            square = BETA_2 * square + (1 - BETA_2) * gradient.square()
            root = (square / (1 - BETA_2 ** (step + 1))).sqrt() + EPSILON
            delta = delta - step_size / (1 - BETA_1 ** (step + 1)) * mean / root
            delta = (images + delta).clamp(0, 1) - images

            step_size = self.step_size * (0.1 + 0.45 * (1 + math.cos(math.pi * step / self.steps)))
            tau = (tau + torch.where(margin < 0, 1, -1) * self.tau_factor * step_size).clamp(0, 1)
            largest = as_units(delta.abs(), self.unit).amax(1, keepdim=True)
            kept = (largest >= tau[:, None, None]).expand_as(as_units(delta, self.unit)).reshape(images.shape)
            delta = torch.where(kept, delta, 0)
