"""Random exchanges of changed units: the move of Sparse-RS (arXiv 2006.12834), and a last stage made of it (ours)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.moves import MANY, single_reversals, without
from explorer.attacks.problem import Problem, as_images, as_units
from explorer.attacks.randomness import keys_of, uniform
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.types import Images

LEAVERS, NEWCOMERS, COLOURS = 0, 1, 2  # streams of random numbers


def exchanged(
    problem: Problem, images: Images, inside: Tensor, keys: Tensor, step: Tensor, most: int, number: Tensor
) -> tuple[Images, Tensor]:
    """Put `number` () <= `most` random units of `inside` (b, n) back and as many others to random ends of their box:
    the images, and who is inside now. `keys` (b,) and `step` () decide what is drawn.
    """
    free, n = problem.free, inside.shape[1]
    most = min(most, n)
    rows = torch.arange(len(images), device=images.device)[:, None]
    chosen = torch.arange(most, device=images.device)[None] < number
    units = as_units(images.clone(), problem.unit)

    drawn = uniform(keys, step, n, LEAVERS).masked_fill(~inside, -1).topk(most, dim=1)
    leavers, leave = drawn.indices, chosen & (drawn.values >= 0)
    units[rows, :, leavers] = torch.where(leave[..., None], problem.clean[rows, :, leavers], units[rows, :, leavers])

    stays = inside.scatter(1, leavers, inside.gather(1, leavers) & ~leave)
    outside = (~inside).float()  # comes first: who has just left comes back only where nobody else is free
    drawn = (uniform(keys, step, n, NEWCOMERS) + outside).masked_fill(stays | ~free, -1).topk(most, dim=1)
    newcomers, come = drawn.indices, chosen & (drawn.values >= 0)
    low, high = (as_units(end, problem.unit)[rows, :, newcomers] for end in (problem.low, problem.high))
    upper = (uniform(keys, step, most * units.shape[1], COLOURS) < 0.5).view(len(images), most, -1)
    colours = torch.where(upper, high, low)
    same = (colours == problem.clean[rows, :, newcomers]).all(2, keepdim=True)
    colours = torch.where(same, torch.where(upper, low, high), colours)
    units[rows, :, newcomers] = torch.where(come[..., None], colours, units[rows, :, newcomers])

    return as_images(units, images), stays.scatter(1, newcomers, stays.gather(1, newcomers) | come)


@dataclass(frozen=True)
class RandomSwaps:
    """With one unit fewer than the best image, exchange one at a time at random, until that fools; repeat from there.

    It may find what the gradient's proposals have missed: on networks that were trained against sparse attacks, random
    search beats every attack by gradients.
    """

    queries: int
    seed: int = 0

    name = "random"
    capturable = False  # it tries single reversals, but seldom

    @property
    def rounds(self) -> int:
        return self.queries

    @property
    def expected(self) -> int:
        return self.queries

    def start(self, problem: Problem, images: Images) -> State:
        """The images. Those that do not fool, or have more than MANY changed units, are finished."""
        count, margin = problem.changed(images).sum(1), problem.margin(images)
        return {
            "keys": keys_of(problem.images, self.seed + 1),
            "current": images,
            "held": margin,
            "candidate": images,
            "margin": margin,
            "finished": ~(margin < 0) | (count > MANY) | (count == 0),
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Of an image that fools: give up the unit that matters least. Of any other: one query."""
        current, held = state["current"], state["held"]
        won = held < 0
        one = torch.ones_like(t)
        candidate, _ = exchanged(problem, current, problem.changed(current), state["keys"], t, 1, one)
        rows = Rows(problem, won)
        if not rows.empty:
            images = rows.of(current)
            leaver = single_reversals(rows.problem, images).argmin(1)
            candidate = rows.put(candidate, without(rows.problem, images, leaver))
        margin = problem.margin(candidate)
        taken = won | (margin < held)
        current = torch.where(taken[:, None, None, None], candidate, current)
        held = torch.where(taken, margin, held)
        finished = problem.changed(current).sum(1) == 0
        return {
            **state,
            "current": current,
            "held": held,
            "candidate": candidate,
            "margin": margin,
            "finished": finished,
        }
