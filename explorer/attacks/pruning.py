"""Pruning: take changes back as long as the image still fools. Ours.

Greedy, one unit at a time, by trying each; as long as an image has many changed units, by the gradient's estimate.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.moves import MANY, reverted, single_reversals
from explorer.attacks.problem import Problem, as_units
from explorer.attacks.randomness import keys_of, uniform
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.types import Images

SHARES = (7 / 8, 3 / 4, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64)  # of many units, taken back at once
BULK = 4  # of few units, at most a quarter is taken back at once


@dataclass(frozen=True)
class Pruning:
    """Revert the unit whose reversal leaves the largest fooling margin, again and again, while the image still fools.

    An image with more than MANY changed units is thinned first, and is done if that leaves more than MANY. A quarter of
    the units goes at once if the image still fools without them. Images that do not fool to begin with stay as they
    are.
    """

    name = "pruned"
    rounds = 500  # each takes at least one unit back, or a sixty-fourth of many: more than are ever needed
    expected = 0
    capturable = True

    def start(self, problem: Problem, images: Images) -> State:
        """The images as they are."""
        margin = problem.margin(images)
        return {"candidate": images, "margin": margin, "finished": ~(margin < 0)}

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Take one unit, or several, of each image back."""
        candidate, margin, finished = state["candidate"], state["margin"], state["finished"]
        many = problem.changed(candidate).sum(1) > MANY
        for part, take_back in ((many, _thinned), (~many, _pruned)):
            rows = Rows(problem, part & ~finished)
            if rows.empty:
                continue
            before = rows.of(candidate)
            fewer, left = take_back(rows.problem, before, rows.of(margin), t)
            count = rows.problem.changed(fewer).sum(1)
            stuck = (count == 0) | (count >= rows.problem.changed(before).sum(1))
            candidate, margin, finished = rows.put(candidate, fewer), rows.put(margin, left), rows.put(finished, stuck)
        return {"candidate": candidate, "margin": margin, "finished": finished}


def _pruned(problem: Problem, images: Images, margin: Tensor, t: Tensor) -> tuple[Images, Tensor]:
    """With one unit fewer, or a quarter of them, and the margins; unchanged where no unit can be spared."""
    left, order = single_reversals(problem, images).sort(dim=1)
    spare = left[:, 0] < 0
    one = reverted(problem, images, _first(order, spare.long()))
    count = problem.changed(images).sum(1) // BULK
    bulk = Rows(problem, spare & (count > 1))
    fewer, least = one, torch.where(spare, left[:, 0], margin)
    if not bulk.empty:
        tried = reverted(bulk.problem, bulk.of(images), _first(bulk.of(order), bulk.of(count)))
        reached = bulk.problem.margin(tried)
        fools = reached < 0
        fewer = bulk.put(fewer, torch.where(fools[:, None, None, None], tried, bulk.of(one)))
        least = bulk.put(least, torch.where(fools, reached, bulk.of(least)))
    return fewer, least


def _thinned(problem: Problem, images: Images, margin: Tensor, t: Tensor) -> tuple[Images, Tensor]:
    """Without the largest of SHARES of the units, least important first by gradient times change (at random, where the
    network gives no gradients), without which the image still fools; unchanged where there is none.
    """
    changed = problem.changed(images)
    if problem.gradients:
        _, gradient = problem.margin_and_gradient(images)
        rise = (as_units(gradient, problem.unit) * (problem.clean - as_units(images, problem.unit))).sum(1)
    else:
        rise = uniform(keys_of(problem.images), t, changed.shape[1]).to(images.dtype)
    order = rise.masked_fill(~changed, torch.inf).argsort(dim=1)
    count = changed.sum(1)
    waiting, found = torch.ones_like(count, dtype=torch.bool), images
    for share in SHARES:
        rows = Rows(problem, waiting)
        if rows.empty:
            break
        fewer = reverted(rows.problem, rows.of(images), _first(rows.of(order), (rows.of(count) * share).long()))
        reached = rows.problem.margin(fewer)
        fools = (reached < 0) & rows.of(waiting)
        found = rows.put(found, torch.where(fools[:, None, None, None], fewer, rows.of(found)))
        margin = rows.put(margin, torch.where(fools, reached, rows.of(margin)))
        waiting = rows.put(waiting, ~fools)
    return found, margin


def _first(order: Tensor, count: Tensor) -> Tensor:
    """A mask (b, n) of the first `count` (b,) units of `order` (b, n)."""
    first = torch.arange(order.shape[1], device=order.device) < count[:, None]
    return torch.zeros_like(order, dtype=torch.bool).scatter(1, order, first)
