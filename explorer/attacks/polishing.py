"""Polishing: get by with fewer units than pruning left. Ours.

`push` uses the survivors to the full: free signs, whole box. `swap` is a local search: put another unit in the place
of one, so that one fewer is enough. Measured on CIFAR-10 and on the road signs, swapping saves more than anything else.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.attacks.objective import Objective, as_units, count_units
from explorer.attacks.pruning import prune, single_reversals
from explorer.grid import to_grid
from explorer.types import Images, PerImage

ROUNDS = 10  # of swaps
CANDIDATES = 32  # units tried in one batch as the newcomer of a swap
PUSH_STEPS, PUSH_SIZE = 12, 0.1  # sign steps after pruning; size in [0, 1] units
SWAP_STEPS, SWAP_SIZE = 2, 0.3  # sign steps after a swap

Tick = Callable[[Images], bool]  # called after every round with the best images so far; True asks to stop


def push(
    objective: Objective, images: Images, adversarial: Images, unit: str, steps: int, size: float
) -> tuple[Images, PerImage]:
    """Lower the margin by signed steps on the changed units only: the best of all visited images, on the 8-bit grid,
    and its margin.
    """
    changed = as_units(images != adversarial, unit).any(1, keepdim=True)
    free = changed.expand_as(as_units(images, unit)).reshape(images.shape)
    best, current = adversarial, adversarial
    least, gradient = objective.margin_and_gradient(current)
    for step in range(1, steps + 1):
        moved = to_grid((current - size * gradient.sign()).clamp(0, 1))
        current = torch.where(free, moved, current)
        if step < steps:
            margin, gradient = objective.margin_and_gradient(current)
        else:
            margin = objective.margin(current)
        better = margin < least
        least = torch.where(better, margin, least)
        best = torch.where(better[:, None, None, None], current, best)
    return best, least


def polish(
    objective: Objective, images: Images, adversarial: Images, unit: str, rounds: int, tick: Tick = lambda images: False
) -> Images:
    """Push and prune once, then `rounds` rounds of swaps. Never returns more changed units than it was given."""
    adversarial = adversarial.clone()
    fooled = (objective.margin(adversarial) < 0).nonzero()[:, 0]
    pushed, _ = push(objective.of(fooled), images[fooled], adversarial[fooled], unit, PUSH_STEPS, PUSH_SIZE)
    adversarial[fooled] = _fewer(
        images[fooled], adversarial[fooled], prune(objective.of(fooled), images[fooled], pushed, unit), unit
    )
    return swap(objective, images, adversarial, unit, rounds, tick)


def swap(
    objective: Objective, images: Images, adversarial: Images, unit: str, rounds: int, tick: Tick = lambda images: False
) -> Images:
    """Look for a fooling image with one unit fewer, by swapping units one at a time; repeat from what was found.

    For each image on its own, with the units of the best image less one: take out the unit that matters least, try the
    CANDIDATES units where the gradient promises most, at the end of the box that it points to, keep the best, push, and
    accept if the margin fell. A unit whose replacement was refused is not taken out again before a swap is accepted; an
    image whose units were all refused is finished. Images that do not fool yet keep their number of units, so a swap
    may rescue them.
    """
    best = adversarial.clone()
    fooled = objective.margin(best) < 0
    current = best.clone()
    current[fooled] = _without_least(objective.of(fooled.nonzero()[:, 0]), images[fooled], best[fooled], unit)
    margin = objective.margin(current)
    refused = torch.zeros_like(as_units(images, unit)[:, 0], dtype=torch.bool)
    reversals = torch.zeros_like(as_units(images, unit)[:, 0])  # of `current`, where it is not stale
    stale = torch.ones_like(fooled)
    live = count_units(images, current, unit) > 0
    for _ in range(rounds):
        if tick(best) or not live.any():
            break
        index = live.nonzero()[:, 0]
        some, clean = objective.of(index), images[index]
        fresh = (live & stale).nonzero()[:, 0]
        reversals[fresh] = single_reversals(objective.of(fresh), images[fresh], current[fresh], unit)
        stale[fresh] = False
        leaver = reversals[index].masked_fill(refused[index], torch.inf).argmin(1)
        candidate = _replace(some, clean, current[index], leaver, unit)
        candidate, reached = push(some, clean, candidate, unit, SWAP_STEPS, SWAP_SIZE)

        accepted = reached < margin[index]
        taken, kept = index[accepted], index[~accepted]
        current[taken], margin[taken] = candidate[accepted], reached[accepted]
        refused[taken], stale[taken] = False, True
        refused[kept, leaver[~accepted]] = True

        won = (live & (margin < 0)).nonzero()[:, 0]
        if len(won):
            some, clean = objective.of(won), images[won]
            best[won] = prune(some, clean, current[won], unit)
            current[won] = _without_least(some, clean, best[won], unit)
            margin[won] = some.margin(current[won])
            refused[won], stale[won] = False, True
        changed = as_units(images != current, unit).any(1)
        live &= (changed & ~refused).any(1)
    return best


def _without_least(objective: Objective, images: Images, adversarial: Images, unit: str) -> Images:
    """Revert the one unit that matters least."""
    leaver = single_reversals(objective, images, adversarial, unit).argmin(1)
    return _put(adversarial, leaver, as_units(images, unit), unit)


def _replace(objective: Objective, images: Images, current: Images, leaver: Tensor, unit: str) -> Images:
    """Revert the unit `leaver` (b,) and change the most useful one of CANDIDATES others instead."""
    clean = as_units(images, unit)
    base = _put(current, leaver, clean, unit)
    _, gradient = objective.margin_and_gradient(base)
    gradient = as_units(gradient, unit)
    end = (gradient < 0).to(images.dtype)  # the end of the box that lowers the margin
    promise = (gradient * (clean - end)).sum(1)  # first-order fall of the margin, >= 0
    promise = promise.masked_fill(as_units(images != base, unit).any(1), -1).scatter(1, leaver[:, None], -1)
    newcomers = promise.topk(min(CANDIDATES, promise.shape[1]), dim=1).indices
    n_images, n_tried = newcomers.shape
    rows = torch.arange(n_images, device=images.device).repeat_interleave(n_tried)
    candidates = _put(base[rows], newcomers.flatten(), end[rows], unit)
    chosen = objective.of(rows).margin(candidates).view(n_images, n_tried).argmin(1)
    return candidates.view(n_images, n_tried, *images.shape[1:])[torch.arange(n_images, device=images.device), chosen]


def _put(images: Images, where: Tensor, values: Tensor, unit: str) -> Images:
    """A copy of images with unit `where` (b,) taken from `values` (b, c, n)."""
    out = images.clone()
    rows = torch.arange(len(images), device=images.device)
    as_units(out, unit)[rows, :, where] = values[rows, :, where]
    return out


def _fewer(images: Images, one: Images, other: Images, unit: str) -> Images:
    """Per image the one with fewer changed units; `other` where they are equal."""
    worse = count_units(images, other, unit) > count_units(images, one, unit)
    return torch.where(worse[:, None, None, None], one, other)
