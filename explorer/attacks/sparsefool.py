"""SparseFool (Modas et al., arXiv 1811.02248): flatten the border where DeepFool meets it; cross it by few values.

DeepFool (arXiv 1511.04599) walks to the nearest point of the decision border. There the border is taken for a plane,
pushed back by lambda, and crossed by moving the values with the steepest slopes, each as far as the box lets it. The
same again from where that led, until the network errs. The steps of DeepFool count as steps here: each looks at the
network's gradients once. Ours are: everything is judged on the 8-bit grid, pixels as units, and targets.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.problem import Problem, as_images, as_units
from explorer.attacks.stage import State, held
from explorer.grid import to_grid
from explorer.knobs import again, knob
from explorer.numerics import finite
from explorer.types import Images, Labels, Logits

BEYOND = 1e-3  # how far past the plane the last value moves, in the plane's distance
LEAST = 1e-4  # step of DeepFool, in L2


@dataclass(frozen=True)
class SparseFool(Attack):
    """Cross the flattened border by the values with the steepest slopes. Call it with (network, images, labels).

    Entries are counted as published; of a pixel, all channels move together. The published attack knows no targets: our
    DeepFool then goes from the strongest class towards the target. `max_pixels` guides no step, it says what counts.
    """

    title = "SparseFool"
    summary = "Takes the network's border for a plane where it is nearest, and crosses it by the steepest values alone."
    source = "arXiv 1811.02248"
    main = ("lam", "steps", "overshoot")

    lam: float = knob(
        3.0, "How far the plane is pushed back: 1 leaves it at the border, more crosses a curved one with more values.",
        label="λ · how far the plane is pushed", low=1, high=1000, slider=(1.0, 10.0),
    )  # fmt: skip
    steps: int = knob(20, "Planes that are crossed one after another, at most.", low=1, high=10_000, slider=(1, 50))
    overshoot: float = knob(0.02, "Share of a change that is added to it, of the result and of DeepFool's.", low=0,
                            high=10, slider=(0.0, 0.2))  # fmt: skip
    dense_steps: int = knob(50, "Steps of DeepFool towards each plane, at most.", label="steps of DeepFool", low=1,
                            high=1000, slider=(1, 100))  # fmt: skip
    classes: int = knob(10, "Strongest classes that DeepFool looks at.", low=2, high=1000, slider=(2, 20))
    plane: str = knob(
        "border", "Where the slopes are taken: at DeepFool's point on the border (the paper), or pushed back by λ.",
        choices=("border", "pushed"),
    )  # fmt: skip
    anew: bool = knob(False, "Cross each plane from the clean picture, instead of from where the last one led.")
    unit: str = knob(
        "entry", "What is counted: entries (single channel values, as published) or pixels.", choices=("entry", "pixel")
    )
    prune: bool = again(Attack, "prune", False)
    polish: bool = again(Attack, "polish", False)

    @property
    def rounds(self) -> int:
        return self.steps * self.dense_steps

    @property
    def expected(self) -> int:
        """DeepFool seldom needs more than a few steps."""
        return self.steps * min(self.dense_steps, 4)

    def start(self, problem: Problem, images: Images) -> State:
        """The clean image."""
        nothing = torch.zeros_like(problem.labels)
        return {
            "current": images,  # where the last plane led; between the values of the grid
            "dense": torch.zeros_like(images),  # DeepFool's change of it
            "walked": nothing,  # steps of DeepFool
            "crossed": nothing,  # planes
            "candidate": images,
            "margin": problem.margin(images),
            "finished": torch.zeros_like(nothing, dtype=torch.bool),
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """One step of DeepFool; where it has crossed the border, the plane is crossed by few values and judged."""
        current, dense = state["current"], state["dense"]
        beyond, slope, nearest, distance = self._looked(problem, current + (1 + self.overshoot) * dense)
        walked = state["walked"] + 1
        there = beyond | (walked >= self.dense_steps)
        size = nearest.flatten(1).norm(dim=1).clamp_min(1e-12)
        further = dense + (distance.clamp_min(LEAST) / size)[:, None, None, None] * nearest

        start = problem.images if self.anew else current
        change = (1 + self.overshoot) * dense + current - start
        pushed = start + self.lam * change
        if self.plane == "pushed":
            _, slope, _, _ = self._looked(problem, pushed)
        led = _crossed(problem, start, slope, pushed)
        far = problem.images + (1 + self.overshoot) * (led - problem.images)
        row = there[:, None, None, None]
        candidate = torch.where(row, to_grid(far).clamp(problem.low, problem.high), state["candidate"])
        margin = torch.where(there, problem.margin(candidate), state["margin"])
        crossed = state["crossed"] + there
        after = {
            "current": torch.where(row, far.clamp(problem.low, problem.high) if self.anew else led, current),
            "dense": torch.where(row, 0, further),
            "walked": torch.where(there, 0, walked),
            "crossed": crossed,
            "candidate": candidate,
            "margin": margin,
            "finished": (margin < 0) | (crossed >= self.steps),
        }
        return held(state, after)

    def _looked(self, problem: Problem, images: Images) -> tuple[Tensor, Images, Images, Tensor]:
        """What DeepFool sees: which images (b,) fool; the slope (b, 3, h, w) of the strongest wrong class over the
        right one; the slope towards the nearest class, as if all were planes, and its distance (b,).
        """
        images = images.detach().requires_grad_(True)
        with torch.enable_grad():
            logits = problem.differentiable(images)
            own, others = _classes(logits, problem.labels, problem.targets, self.classes - 1)
            leads = (logits.gather(1, others) - logits.gather(1, own[:, None]) - problem.kappa).unbind(1)
            slopes = [torch.autograd.grad(lead.sum(), images, retain_graph=True)[0] for lead in leads]
        least = torch.full_like(logits[:, 0].detach(), torch.inf)
        strongest = nearest = torch.zeros_like(images)
        free = problem.low < problem.high
        for number, (lead, slope) in enumerate(zip(leads, slopes, strict=True)):
            slope = finite(slope) * free
            distance = lead.detach().abs() / slope.flatten(1).norm(dim=1).clamp_min(1e-12)
            closer = distance < least
            least = torch.where(closer, distance, least)
            nearest = torch.where(closer[:, None, None, None], slope, nearest)
            strongest = slope if number == 0 else strongest
        beyond = problem.margins_of(logits.detach()) < 0
        return beyond, strongest, nearest, least


def _classes(logits: Logits, labels: Labels, targets: Labels | None, most: int) -> tuple[Labels, Tensor]:
    """The class that DeepFool leaves (b,), and those that it may go to (b, m), the strongest first."""
    logits = logits.detach()
    if targets is not None:
        return logits.scatter(1, targets[:, None], -torch.inf).argmax(1), targets[:, None]
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return labels, others.topk(min(most, logits.shape[1] - 1), dim=1).indices


def _crossed(problem: Problem, start: Images, slope: Images, point: Images) -> Images:
    """From `start`, past the plane through `point` with this slope, by the units with the steepest slopes: each moves
    to the end of its box, the last one as far as needed.
    """
    slope = slope / slope.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
    need = (slope * (point - start)).flatten(1).sum(1).clamp_min(0) + BEYOND
    room = torch.where(slope > 0, problem.high - start, start - problem.low)
    gain = as_units(slope.abs() * room, problem.unit).sum(1)
    steep = as_units(slope.abs(), problem.unit).sum(1).masked_fill(gain <= 0, -1)
    order = steep.argsort(dim=1, descending=True, stable=True)
    gains = gain.gather(1, order)
    before = gains.cumsum(1) - gains
    share = ((need[:, None] - before) / gains.clamp_min(1e-30)).clamp(0, 1) * (gains > 0)
    share = torch.zeros_like(share).scatter(1, order, share)
    move = as_units(room * slope.sign(), problem.unit) * share[:, None]
    return (start + as_images(move, start)).clamp(problem.low, problem.high)
