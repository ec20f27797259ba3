"""Greedy pruning: take changes back as long as the image still fools. Ours; nothing of it needs gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.attacks.objective import Objective, as_units, revert_each
from explorer.types import Images

BULK = 4  # at most a quarter of an image's changes is taken back at once


def single_reversals(objective: Objective, images: Images, adversarial: Images, unit: str) -> Tensor:
    """Margin (b, n) after reverting each changed unit alone; infinite where nothing changed."""
    owner, where, candidates = revert_each(images, adversarial, unit)
    table = torch.full((len(images), as_units(images, unit).shape[2]), torch.inf, device=images.device)
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

    While many units are left, a quarter of them goes at once if the image still fools without them. Images that do
    not fool to begin with come back as they are.
    """
    adversarial = adversarial.clone()
    live = (objective.margin(adversarial) < 0).nonzero()[:, 0]
    while len(live) and not should_stop():
        some, clean, current = objective.of(live), images[live], adversarial[live]
        left, order = single_reversals(some, clean, current, unit).sort(dim=1)
        removable = left[:, 0] < 0
        if not removable.any():
            break
        live, order, clean, current = live[removable], order[removable], clean[removable], current[removable]
        some = objective.of(live)
        n_units = as_units(clean != current, unit).any(1).sum(1)
        single = _revert(clean, current, order, torch.ones_like(n_units), unit)
        size = (n_units // BULK).clamp(min=1)
        many = (size > 1).nonzero()[:, 0]
        bulk = _revert(clean[many], current[many], order[many], size[many], unit)
        fools = some.of(many).margin(bulk) < 0
        single[many[fools]] = bulk[fools]
        adversarial[live] = single
    return adversarial


def _revert(images: Images, adversarial: Images, order: Tensor, count: Tensor, unit: str) -> Images:
    """Revert the first `count` (b,) units of `order` (b, n)."""
    first = torch.arange(order.shape[1], device=order.device) < count[:, None]
    chosen = torch.zeros_like(order, dtype=torch.bool).scatter(1, order, first)[:, None]
    clean, changed = as_units(images, unit), as_units(adversarial, unit)
    return torch.where(chosen, clean, changed).reshape(images.shape)
