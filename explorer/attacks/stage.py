"""The shape of an attack: where it starts, and one pure step from state to state. The driver does everything else."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from explorer.attacks.problem import Problem
from explorer.types import Images

State = Mapping[str, Tensor]
"""Tensors with the images along their first dimension. After a step there are

- candidate (b, 3, h, w): the image that the step has judged, on the grid and within the box
- margin (b,): its margin, negative where it fools
- loss (b,), if the stage has one
- weights (b, n), if the stage has them: of each unit, in [0, 1]
- finished (b,) bool, if images may be done before the last step: they are left out of the rest
- one (b, 1) for each knob that may differ from image to image, by its name: whoever runs the stage puts it there

and whatever the stage itself needs from step to step.
"""


class Stage(Protocol):
    """One stage of an attack, or a whole one."""

    name: str  # one of types.STAGES
    rounds: int  # steps, at most
    expected: int  # of these, as far as the caller's progress is concerned; 0: nobody knows
    capturable: bool  # whether `step` can do without the host

    def start(self, problem: Problem, images: Images) -> State:
        """The state before the first step. `images`: the best adversarial images so far, at first the clean ones. The
        host reads no value, unless `problem.peeks`.
        """

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """The state after one step more. `t` () counts them from 0, on the device. Shapes depend on no value, and the
        host reads none, unless `problem.peeks`.
        """


def held(before: State, after: State) -> State:
    """`after`, where the images that were finished before stay as they were: steps that are captured go on for all."""
    finished = before["finished"]

    def rows(name: str) -> Tensor:
        return torch.where(finished.view(-1, *[1] * (after[name].ndim - 1)), before[name], after[name])

    return {name: rows(name) for name in after}
