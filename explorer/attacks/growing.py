"""Growing: from the clean image, add the units that help most until the image fools. Ours.

The gradient proposes, a forward pass of each proposal decides, and what was tried is remembered.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.moves import MANY, pushed
from explorer.attacks.problem import Problem
from explorer.attacks.proposals import Memory, looking_ahead, try_newcomers
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.types import Images

PUSH = 0.3  # signed step of the units that are in, in [0, 1] units
GROWTH = 4  # units are added a quarter as many at a time as there are, once there are many
SINGLY = 8  # of fewer, one
STEPS = 60  # in which units are added, at most


@dataclass(frozen=True)
class Growing:
    """Start anew where the attack's own stage has failed: where the image does not fool, or has more than MANY changed
    units. The other images are finished.
    """

    candidates: int = 32  # tried per round

    name = "polished"
    rounds = STEPS
    expected = 0
    capturable = False  # it is seldom needed

    def start(self, problem: Problem, images: Images) -> State:
        """The clean images, of those that need it."""
        fine = (problem.margin(images) < 0) & (problem.changed(images).sum(1) <= MANY)
        return {**start(problem), "finished": fine}

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """See grow."""
        return grow(problem, state, self.candidates)


def start(problem: Problem, kinds: int = 3) -> State:
    """The clean images, and nothing tried; with memory for so many kinds of proposals."""
    images = problem.images
    return {
        "next": images,  # what the next step judges
        "candidate": images,
        "margin": torch.zeros_like(images[:, 0, 0, 0]),
        "finished": torch.zeros_like(problem.labels, dtype=torch.bool),
        **vars(Memory.empty(problem, kinds)),
    }


def grow(
    problem: Problem, state: State, candidates: int, singly: int = SINGLY, size: float = PUSH, lookahead: float = 0.0
) -> State:
    """Judge; where the image does not fool yet, push the units that are in by `size`, and add the best of `candidates`:
    one as long as there are less than `singly` units, then GROWTH. `lookahead`: see proposals.looking_ahead; 0: not.
    """
    current = state["next"]
    margin, gradient = problem.margin_and_gradient(current)
    inside = problem.changed(current)
    count = inside.sum(1)
    add = torch.where(count < singly, 1, count // GROWTH).clamp_min(1)
    if problem.max_units is not None:
        add = add.clamp_max(problem.max_units - count)
    finished = (margin < 0) | (add <= 0) | (inside | ~problem.free).all(1)
    rows = Rows(problem, ~finished)
    found = {**state, "candidate": current, "margin": margin, "finished": finished}
    if rows.empty:
        return found
    part, images, gradient, inside = rows.problem, rows.of(current), rows.of(gradient), rows.of(inside)
    free = part.values_of(inside)
    base = torch.where(free, pushed(part, images, gradient, size), images)
    if lookahead:
        gradient = looking_ahead(part, images, gradient, inside, lookahead)
    memory = Memory(*(rows.of(state[field.name]) for field in dataclasses.fields(Memory)))
    other_kinds = torch.zeros_like(rows.of(finished))
    trial = try_newcomers(part, base, rows.of(margin), gradient, inside, memory, other_kinds, candidates)
    found["next"] = rows.put(current, trial.added(base, part, rows.of(add)))
    return found | {name: rows.put(state[name], value) for name, value in vars(trial.memory).items()}
