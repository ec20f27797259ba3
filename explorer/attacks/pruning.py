"""Pruning: take changes back as long as the image still fools. Ours.

Greedy, one unit at a time, by trying each; as long as an image has many changed units, by the gradient's estimate.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.attacks.objective import CHUNK_VALUES, Objective, as_units, changed_units, count_units, reverted
from explorer.types import Images

MANY = 96  # above this, trying each unit costs more than it is worth
SHARES = (
    7 / 8,
    3 / 4,
    1 / 2,
    1 / 4,
    1 / 8,
    1 / 16,
    1 / 32,
    1 / 64,
)  # of the units, taken back at once while there are many
BULK = 4  # later, at most a quarter is taken back at once


def single_reversals(objective: Objective, images: Images, adversarial: Images, unit: str) -> Tensor:
    """Margin (b, n) after reverting each changed unit alone; infinite where nothing changed."""
    table = torch.full_like(as_units(images, unit)[:, 0], torch.inf)
    size = max(1, CHUNK_VALUES // images.shape[1:].numel())
    for owner, where in zip(*(part.split(size) for part in changed_units(images, adversarial, unit)), strict=True):
        candidates = reverted(images, adversarial, owner, where, unit)
        table[owner, where] = objective.of(owner).margin(candidates).to(table.dtype)
    return table


def prune(
    objective: Objective,
    images: Images,
    adversarial: Images,
    unit: str = "pixel",
    should_stop: Callable[[], bool] = lambda: False,
) -> Images:
    """Revert the unit whose reversal leaves the largest fooling margin, again and again, while the image still fools.

    Images with more than MANY changed units are thinned first, and are done if that leaves more than MANY. A quarter of
    the units goes at once if the image still fools without them. Images that do not fool to begin with come back as
    they are.
    """
    adversarial = adversarial.clone()
    live = (objective.margin(adversarial) < 0).nonzero()[:, 0]
    adversarial[live] = _thin(objective.of(live), images[live], adversarial[live], unit, should_stop)
    live = live[count_units(images[live], adversarial[live], unit) <= MANY]
    while len(live) and not should_stop():
        some, clean, current = objective.of(live), images[live], adversarial[live]
        left, order = single_reversals(some, clean, current, unit).sort(dim=1)
        removable = left[:, 0] < 0
        live, order, clean, current = live[removable], order[removable], clean[removable], current[removable]
        some = objective.of(live)
        n_units = count_units(clean, current, unit)
        fewer = _revert(clean, current, order, torch.ones_like(n_units), unit)
        size = (n_units // BULK).clamp(min=1)
        many = (size > 1).nonzero()[:, 0]
        bulk = _revert(clean[many], current[many], order[many], size[many], unit)
        fools = some.of(many).margin(bulk) < 0
        fewer[many[fools]] = bulk[fools]
        adversarial[live] = fewer
    return adversarial


def _thin(
    objective: Objective, images: Images, adversarial: Images, unit: str, should_stop: Callable[[], bool]
) -> Images:
    """While an image has MANY changed units, revert the largest of SHARES of them, least important first by gradient
    times change, without which it still fools.
    """
    adversarial = adversarial.clone()
    live = (count_units(images, adversarial, unit) > MANY).nonzero()[:, 0]
    while len(live) and not should_stop():
        some, clean, current = objective.of(live), images[live], adversarial[live]
        _, gradient = some.margin_and_gradient(current)
        rise = (as_units(gradient, unit) * (as_units(clean, unit) - as_units(current, unit))).sum(1)
        changed = as_units(clean != current, unit).any(1)
        order = rise.masked_fill(~changed, torch.inf).argsort(dim=1)
        n_units = changed.sum(1)
        waiting = torch.ones_like(n_units, dtype=torch.bool)
        for share in SHARES:
            index = waiting.nonzero()[:, 0]
            size = (n_units[index] * share).long()
            fewer = _revert(clean[index], current[index], order[index], size, unit)
            fools = some.of(index).margin(fewer) < 0
            adversarial[live[index[fools]]] = fewer[fools]
            waiting[index[fools]] = False
        left = count_units(clean, adversarial[live], unit)
        live = live[~waiting & (left > MANY)]
    return adversarial


def _revert(images: Images, adversarial: Images, order: Tensor, count: Tensor, unit: str) -> Images:
    """Revert the first `count` (b,) units of `order` (b, n)."""
    first = torch.arange(order.shape[1], device=order.device) < count[:, None]
    chosen = torch.zeros_like(order, dtype=torch.bool).scatter(1, order, first)[:, None]
    clean, changed = as_units(images, unit), as_units(adversarial, unit)
    return torch.where(chosen, clean, changed).reshape(images.shape)
