"""The sparse attack of arXiv 2506.17250 (Lin et al.): a reparameterised l0 norm, smoothed by a normal of width a.

One weight per unit scales a dense perturbation; gradient steps lower the loss plus lambda times the smoothed count; a
thresholded ReLU makes small weights exactly zero. On top of the paper (ours): a box that follows the sign, normalised
gradients, and everything judged on the 8-bit grid.

Symbols: `v` (b, n) is a unit's weight as a fraction of its room, in [0, 1]; `move` (b, c, n) is that room with the sign
of the dense perturbation, so the adversarial image is x + v * move. In the paper's terms v = w |delta| / room.
"""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.dense import sign_attack
from explorer.attacks.problem import Problem, as_units
from explorer.attacks.stage import State
from explorer.grid import to_grid
from explorer.knobs import knob
from explorer.numerics import finite, slope_at_zero, smoothed_l0_slope
from explorer.types import Images, Labels

START = 0.1  # weight that every unit starts with, where the normal has slope (v = 1 never leaves the dense start)
ANNEAL = (3.0, 0.5)  # the annealed width starts at 3 a and ends at a / 2
PAPER = {
    "lam": 1e-3, "tau": 0.3, "eps": 6 / 255, "dense_steps": 10, "step_size": 1000.0, "gradient": "raw",
    "loss": "cross-entropy", "box": "paper", "unit": "entry", "schedule": "constant", "prune": False, "polish": False,
}  # fmt: skip


@dataclass(frozen=True)
class SparseAttack(Attack):
    """Change as few units as possible so that the network errs. Call it with (network, images, labels).

    `a`, `lam` and `tau` may be numbers or tensors of shape (b,): one setting per image.
    """

    title = "Sparse attack"
    summary = "One weight per pixel on a small dense change; a smoothed count of the weights is driven down."
    source = "arXiv 2506.17250"
    main = ("a", "lam", "tau")
    presets: ClassVar = {"As in the paper": PAPER}
    per_image = ("a", "lam", "tau")
    has_weights = True

    a: float | Tensor = knob(
        0.1,
        "Width of the normal that smooths the count of pixels: weights below about 2a are pulled to zero. Wider means "
        "fewer pixels, up to about 0.2; beyond that all of them are pulled down and the picture may not be fooled.",
        brief="Weights below about 2a are pulled to zero. Wider: fewer pixels, up to about 0.2.",
        label="a · width of the normal",
        low=0, open_low=True, high=10, slider=(0.01, 1.0), log=True,
    )  # fmt: skip
    lam: float | Tensor = knob(
        1.0,
        "Weight of sparsity: how strong the pull to zero is, next to the pixel that helps most. Larger means fewer "
        "pixels, up to about 1.",
        brief="The price of a pixel. Larger: fewer pixels, up to about 1.",
        label="λ · weight of sparsity",
        low=0, high=1e6, slider=(0.01, 10.0), log=True,
    )  # fmt: skip
    tau: float | Tensor = knob(
        0.05,
        "Threshold of the ReLU: after each step, smaller weights become exactly zero. From about a/2 to 1.5a, a higher "
        "τ lets pixels in by large steps only, past the pull of λ: more of them stay, for pruning to remove.",
        brief="Smaller weights become zero. From a/2 to 1.5a, a higher τ leaves more pixels.",
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
    schedule: str = knob(
        "annealed", "annealed: the width falls from 3a to a/2 over the steps; constant: it stays a.",
        choices=("annealed", "constant"),
    )  # fmt: skip
    seed: int = knob(
        0, "0: the dense start begins at the picture itself; any other number: at a random point of its own.",
        low=0, high=2**31 - 1, slider=(0, 20),
    )  # fmt: skip

    @classmethod
    def paper(cls, **changes: object) -> "SparseAttack":
        """The paper's steps to the letter: raw gradients, cross-entropy, entries, tanh box, no pruning or polishing."""
        return dataclasses.replace(cls(**PAPER), **changes)

    @property
    def rounds(self) -> int:
        return self.steps

    def start(self, problem: Problem, images: Images) -> State:
        """The weights of a dense perturbation, and where it moves every value."""
        x = problem.clean
        dense, aim = self._dense_start(problem)
        delta = as_units(dense, problem.unit)
        low, high = (as_units(end, problem.unit) for end in (problem.low, problem.high))
        if self.box == "paper":
            room = torch.minimum(torch.minimum(x, 1 - x), torch.where(delta > 0, high - x, x - low))
            scale = (delta.abs() / room.clamp_min(1e-6)).amax(1)  # v = scale * w; the paper's Omega is 1 / scale
            v = scale.clamp(max=1)  # w = 1: the dense start itself
        else:
            room = torch.where(delta > 0, high - x, x - low)
            scale, v = torch.ones_like(x[:, 0]), torch.full_like(x[:, 0], START)
        return {
            "move": room * delta.sign(),
            "scale": scale,
            "aim": aim,
            "v": v,
            "velocity": torch.zeros_like(v),
            "weights": v,
            "candidate": images,
            "margin": torch.zeros_like(v[:, 0]),
            "loss": torch.zeros_like(v[:, 0]),
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge the weights, and take one step of momentum SGD on them."""
        v, move, scale, a, lam, tau = (state[name] for name in ("v", "move", "scale", *self.per_image))
        adversarial = to_grid(problem.clean + v[:, None] * move).view_as(problem.images).requires_grad_(True)
        with torch.enable_grad():
            logits = problem.differentiable(adversarial)
            margin = problem.margins_of(logits)
            loss = F.relu(margin) if self.loss == "margin" else F.cross_entropy(logits, state["aim"], reduction="none")
            total = loss.sum()
        if problem.peeks and not (loss > 0).any():
            pull = torch.zeros_like(v)  # every hinge rests: its gradient is known
        else:
            (gradient,) = torch.autograd.grad(total, adversarial)
            pull = (as_units(finite(gradient), problem.unit) * move).sum(1)

        width = a if self.schedule == "constant" else a * _annealed(t, self.steps)
        price = lam * smoothed_l0_slope(v, width, self.surrogate) * (v > 0)
        if self.gradient == "normalised":
            pull = pull / (-pull.amin(1, keepdim=True)).clamp_min(1e-12)
        else:
            price = price * slope_at_zero(width, self.surrogate)
        slope = pull + price if self.box == "sign-aware" else (pull + price) * scale.square()  # paper: in w
        dampening = 1 - self.momentum if self.gradient == "normalised" else 1
        velocity = self.momentum * state["velocity"] + dampening * slope
        new = v - self.step_size * velocity
        new = new.masked_fill(new <= tau, 0) if self.threshold == "hard" else F.relu(new - tau)
        new = new.clamp(max=1) if self.box == "sign-aware" else torch.tanh(new / scale.clamp_min(1e-6)) * (scale > 0)
        if problem.max_units is not None and problem.max_units < v.shape[1]:
            largest = new.topk(problem.max_units)
            new = torch.zeros_like(new).scatter(1, largest.indices, largest.values)
        judged = {"candidate": adversarial.detach(), "margin": margin.detach(), "loss": loss.detach(), "weights": v}
        return {**state, **judged, "v": new, "velocity": velocity}

    def _dense_start(self, problem: Problem) -> tuple[Images, Labels]:
        """The dense perturbation and the class that it leads to (the runner-up where it does not fool)."""
        images, start = problem.images, None
        if self.seed:
            generator = torch.Generator().manual_seed(self.seed)
            noise = torch.rand(images.shape[1:], generator=generator).to(images)  # one for all
            start = images + self.eps * (2 * noise - 1)
        dense = sign_attack(
            problem.differentiable, images, problem.labels,
            eps=self.eps, steps=self.dense_steps, targets=problem.targets, loss=self.loss, start=start,
        )  # fmt: skip
        if problem.targets is not None:
            return dense - images, problem.targets
        if self.loss == "margin":
            return dense - images, problem.labels  # the hinge needs no aim
        others = problem.logits(dense).scatter(1, problem.labels[:, None], -torch.inf)
        return dense - images, others.argmax(1)


def final_width(a: Tensor, schedule: str) -> Tensor:
    """The width that the normal has at the last step."""
    return a if schedule == "constant" else a * ANNEAL[1]


def _annealed(t: Tensor, steps: int) -> Tensor:
    """Factor of a at step `t` (): geometric from the first to the second of ANNEAL."""
    first, last = ANNEAL
    return first * (last / first) ** (t / max(1, steps - 1))
