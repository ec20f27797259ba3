"""Greedy search: add the pixels that help most, one or a few at a time, until the image fools. Ours.

It needs no a, lambda or tau: from the clean image, the gradient proposes, a forward pass of each proposal decides, and
what was tried is remembered. Use it where only the count matters.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.moves import pushed
from explorer.attacks.problem import Problem, as_images, as_units
from explorer.attacks.proposals import Memory, try_newcomers
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.knobs import knob
from explorer.types import Images

PUSH = 0.3  # signed step of the units that are in, in [0, 1] units
GROWTH = 4  # units are added a quarter as many at a time as there are


@dataclass(frozen=True)
class Greedy(Attack):
    """Add the units that lower the margin most, until the network errs. Call it with (network, images, labels)."""

    title = "Greedy search"
    summary = "Adds the pixels that help most, one or a few at a time, and then looks for fewer: quick, and few pixels."
    source = "ours"
    main = ("steps",)

    steps: int = knob(60, "Rounds in which units are added, at most.", low=1, high=10_000, slider=(10, 200))

    swaps: int = knob(15, "Rounds of swaps in polishing.", low=0, high=1000, slider=(0, 50))
    kicks: int = knob(
        2, "How often polishing builds half of the pixels anew where no swap helps.", low=0, high=100, slider=(0, 5)
    )

    @property
    def rounds(self) -> int:
        return self.steps

    def start(self, problem: Problem, images: Images) -> State:
        """The clean image, and nothing tried."""
        nothing = torch.zeros_like(problem.labels, dtype=torch.bool)
        return {
            "next": images,  # what the next step judges
            "candidate": images,
            "margin": torch.zeros_like(images[:, 0, 0, 0]),
            "finished": nothing,
            **vars(Memory.empty(problem)),
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Judge; where the image does not fool yet, push the units that are in, and add the best newcomers."""
        current = state["next"]
        margin, gradient = problem.margin_and_gradient(current)
        inside = problem.changed(current)
        count = inside.sum(1)
        add = (count // GROWTH).clamp_min(1)
        if problem.max_units is not None:
            add = add.clamp_max(problem.max_units - count)
        finished = (margin < 0) | (add <= 0) | (inside | ~problem.free).all(1)
        rows = Rows(problem, ~finished)
        found = {**state, "candidate": current, "margin": margin, "finished": finished}
        if rows.empty:
            return found
        part, images = rows.problem, rows.of(current)
        free = as_images(rows.of(inside)[:, None].expand_as(as_units(images, problem.unit)), images)
        base = torch.where(free, pushed(part, images, rows.of(gradient), PUSH), images)
        memory = Memory(*(rows.of(state[field.name]) for field in dataclasses.fields(Memory)))
        only_first = torch.zeros_like(rows.of(finished))
        trial = try_newcomers(part, base, rows.of(margin), rows.of(gradient), rows.of(inside), memory, only_first)
        found["next"] = rows.put(current, trial.added(base, part, rows.of(add)))
        return found | {name: rows.put(state[name], value) for name, value in vars(trial.memory).items()}
