"""The sparse attack of arXiv 2506.17250 (Lin et al.): a reparameterised l0 norm, smoothed by a normal of width a.

One weight per unit scales a dense perturbation; gradient steps lower the loss plus lambda times the smoothed count; a
thresholded ReLU makes small weights exactly zero. On top of the paper (ours): a box that follows the sign, normalised
gradients, pruning and polishing, and everything judged on the 8-bit grid.

Symbols: `v` (b, n) is a unit's weight as a fraction of its room, in [0, 1]; `move` (b, c, n) is that room with the sign
of the dense perturbation, so the adversarial image is x + v * move. In the paper's terms v = w |delta| / room.
"""

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks.dense import sign_attack
from explorer.attacks.kernels import as_if_alone
from explorer.attacks.objective import Objective, as_units
from explorer.attacks.parts import run_in_parts
from explorer.attacks.progress import Progress
from explorer.attacks.validation import per_image, validated
from explorer.grid import to_grid
from explorer.knobs import check, knob
from explorer.locks import exclusive
from explorer.memory import told
from explorer.numerics import margins, slope_at_zero, smoothed_l0_slope
from explorer.types import AttackResult, Images, Labels, Network, OnStep

START = 0.1  # weight that every unit starts with, where the normal has slope (v = 1 never leaves the dense start)
ANNEAL = (3.0, 0.5)  # the annealed width starts at 3 a and ends at a / 2


@dataclass(frozen=True)
class SparseAttack:
    """Change as few units as possible so that the network errs. Call it with (network, images, labels).

    `a`, `lam` and `tau` may be numbers or tensors of shape (b,): one setting per image.
    """

    a: float | Tensor = knob(
        0.1,
        "Width of the normal that smooths the count of pixels: weights below about 2a are pulled to zero. Wider means "
        "fewer pixels, up to about 0.2; beyond that all of them are pulled down and the picture may not be fooled.",
        label="a · width of the normal",
        low=0, open_low=True, high=10, slider=(0.01, 1.0), log=True,
    )  # fmt: skip
    lam: float | Tensor = knob(
        1.0,
        "Weight of sparsity: how strong the pull to zero is, next to the pixel that helps most. Larger means fewer "
        "pixels, up to about 1.",
        label="λ · weight of sparsity",
        low=0, high=1e6, slider=(0.01, 10.0), log=True,
    )  # fmt: skip
    tau: float | Tensor = knob(
        0.05,
        "Threshold of the ReLU: after each step, smaller weights become exactly zero. Above about a/2, a higher τ lets "
        "pixels in by large steps only, past the pull of λ: more of them stay, for pruning to remove.",
        label="τ · threshold of the ReLU",
        low=0, high=1, open_high=True, slider=(0.005, 0.5), log=True,
    )  # fmt: skip
    steps: int = knob(100, "Gradient steps of the optimised stage.", low=1, high=10_000, slider=(10, 500))
    eps: float = knob(
        10 / 255, "Radius of the dense I-FGSM start, in [0, 1] units; it fixes directions, not sizes.",
        label="ε · radius of the dense start", low=0, open_low=True, high=1, slider=(1 / 255, 32 / 255),
    )  # fmt: skip
    dense_steps: int = knob(
        5, "Steps of the dense I-FGSM start.", label="dense steps", low=1, high=1000, slider=(1, 20)
    )
    step_size: float = knob(
        0.5, "Step of the momentum SGD on the weights.", label="step size", low=0, open_low=True, high=1e9,
        slider=(0.01, 10.0), log=True,
    )  # fmt: skip
    momentum: float = knob(0.9, "Momentum of the SGD.", low=0, high=1, open_high=True, slider=(0.0, 0.99))
    gradient: str = knob(
        "normalised",
        "normalised: the loss's gradient is divided by that of the pixel that helps most, so one λ means the same on "
        "every network and lives around 1; raw: as in the paper, and λ lives around 1e-4 to 1e-2.",
        choices=("normalised", "raw"),
    )
    loss: str = knob(
        "margin",
        "margin: hinge on the true class's lead, which stops once fooled; cross-entropy: towards the wrong class.",
        choices=("margin", "cross-entropy"),
    )
    box: str = knob(
        "sign-aware",
        "sign-aware: a value may move to the end of its range that its sign points to; paper: at most min(x, 1 - x), "
        "through a tanh.",
        choices=("sign-aware", "paper"),
    )
    surrogate: str = knob(
        "normal", "What smooths the count: the normal's integral, or the logistic sigmoid (ablation).",
        choices=("normal", "sigmoid"),
    )  # fmt: skip
    threshold: str = knob(
        "hard", "hard: weights above τ stay as they are; soft: they also lose τ.", choices=("hard", "soft")
    )
    unit: str = knob(
        "pixel", "What is counted: pixels (all three channels together) or entries (single channel values).",
        choices=("pixel", "entry"),
    )  # fmt: skip
    schedule: str = knob(
        "annealed", "annealed: the width falls from 3a to a/2 over the steps; constant: it stays a.",
        choices=("annealed", "constant"),
    )  # fmt: skip
    prune: bool = knob(True, "Take changes back, one by one, while the picture still fools.")
    polish: bool = knob(True, "Push the surviving pixels further and swap them, so that fewer are enough.")
    max_pixels: int | None = knob(
        None, "At most this many pixels (entries) may change; empty: no limit.", label="at most k pixels",
        low=1, high=10**9, slider=(1, 100),
    )  # fmt: skip
    seed: int = knob(
        0, "0: the dense start begins at the picture itself; any other number: at a random point of its own.",
        low=0, high=2**31 - 1, slider=(0, 20),
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def paper(cls, **changes: object) -> "SparseAttack":
        """The paper's steps to the letter: raw gradients, cross-entropy, entries, tanh box, no pruning or polishing."""
        return dataclasses.replace(cls(**PAPER), **changes)

    def __call__(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None = None,
        on_step: OnStep | None = None,
        alone: bool = False,
    ) -> AttackResult:
        """Attack images (b, 3, h, w) in [0, 1], which are rounded to the 8-bit grid first; labels, targets (b,).

        `on_step` hears of every step and may answer True to stop; the result is then the best so far. Raises ValueError
        on bad input. Failing to fool an image is no error: see AttackResult.succeeded.

        With `alone`, each image's optimised stage is the same as without the others, to the last bit where torch uses
        one thread and the network treats images one by one; on a CPU a batch is then slower.
        """
        with exclusive(network), told():
            images, labels, targets = validated(network, images, labels, targets)
            return run_in_parts(self, network, images, labels, targets, on_step, alone=alone)

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None,
        on_step: OnStep | None,
        *,
        alone: bool,
    ) -> AttackResult:
        """The attack itself, on input that is known to be valid, all images at once."""
        objective = Objective(network, labels, targets)
        progress = Progress(
            objective, images, unit=self.unit, steps=self.steps, max_units=self.max_pixels, on_step=on_step
        )
        with as_if_alone(images) if alone else nullcontext():
            self._optimise(objective, images, progress)
        return progress.refine(self.prune, self.polish)

    def _optimise(self, objective: Objective, images: Images, progress: Progress) -> None:
        network, labels, targets = objective.network, objective.labels, objective.targets
        x = as_units(images, self.unit)
        a, lam, tau = (per_image(name, getattr(self, name), images)[:, None] for name in ("a", "lam", "tau"))

        delta, aim = self._dense_start(objective, images)
        delta = as_units(delta, self.unit)
        if self.box == "paper":
            room = torch.minimum(x, 1 - x)
            scale = (delta.abs() / room.clamp_min(1e-6)).amax(1)  # v = scale * w; the paper's Omega is 1 / scale
            v = scale.clamp(max=1)  # w = 1: the dense start itself
        else:
            room = torch.where(delta > 0, 1 - x, x)
            v = torch.full_like(x[:, 0], START)
        move = room * delta.sign()

        velocity = torch.zeros_like(v)
        for step in range(self.steps):
            adversarial = to_grid(x + v[:, None] * move).view_as(images).requires_grad_(True)
            with torch.enable_grad():
                logits = network(adversarial)
                margin = margins(logits, labels, targets)
                loss = F.relu(margin) if self.loss == "margin" else F.cross_entropy(logits, aim, reduction="none")
            progress.weights = v
            if progress.record(adversarial.detach(), margin.detach(), loss.detach()):
                break
            if (loss > 0).any():
                (pull,) = torch.autograd.grad(loss.sum(), adversarial)
            else:
                pull = torch.zeros_like(adversarial)  # every hinge rests: its gradient is known
            width = a if self.schedule == "constant" else a * _annealed(step, self.steps)
            pull = (as_units(pull, self.unit) * move).sum(1)
            price = lam * smoothed_l0_slope(v, width, self.surrogate) * (v > 0)
            if self.gradient == "normalised":
                pull = pull / (-pull).amax(1, keepdim=True).clamp_min(1e-12)
            else:
                price = price * slope_at_zero(width, self.surrogate)
            slope = pull + price if self.box == "sign-aware" else (pull + price) * scale.square()  # paper: in w
            if self.gradient == "normalised":
                velocity = self.momentum * velocity + (1 - self.momentum) * slope
            else:
                velocity = self.momentum * velocity + slope
            v = v - self.step_size * velocity
            v = torch.where(v > tau, v, 0) if self.threshold == "hard" else F.relu(v - tau)
            v = v.clamp(max=1) if self.box == "sign-aware" else torch.tanh(v / scale.clamp_min(1e-6)) * (scale > 0)
            if self.max_pixels is not None and self.max_pixels < v.shape[1]:
                largest = v.topk(self.max_pixels)
                v = torch.zeros_like(v).scatter(1, largest.indices, largest.values)

    def _dense_start(self, objective: Objective, images: Images) -> tuple[Images, Labels]:
        """The dense perturbation and the class that it leads to (the runner-up where it does not fool)."""
        start = None
        if self.seed:
            generator = torch.Generator().manual_seed(self.seed)
            noise = torch.rand(images.shape[1:], generator=generator, dtype=torch.float64).to(images)  # one for all
            start = images + self.eps * (2 * noise - 1)
        dense = sign_attack(
            objective.network, images, objective.labels,
            eps=self.eps, steps=self.dense_steps, targets=objective.targets, loss=self.loss, start=start,
        )  # fmt: skip
        if objective.targets is not None:
            return dense - images, objective.targets
        if self.loss == "margin":
            return dense - images, objective.labels  # the hinge needs no aim
        others = objective.logits(dense).scatter(1, objective.labels[:, None], -torch.inf)
        return dense - images, others.argmax(1)


def final_width(a: Tensor, schedule: str) -> Tensor:
    """The width that the normal has at the last step."""
    return a if schedule == "constant" else a * ANNEAL[1]


def _annealed(step: int, steps: int) -> float:
    """Factor of a at `step`: geometric from the first to the second of ANNEAL."""
    first, last = ANNEAL
    return first * (last / first) ** (step / max(1, steps - 1))


PAPER = {
    "lam": 1e-3, "tau": 0.3, "eps": 6 / 255, "dense_steps": 10, "step_size": 1000.0, "gradient": "raw",
    "loss": "cross-entropy", "box": "paper", "unit": "entry", "schedule": "constant", "prune": False, "polish": False,
}  # fmt: skip
