"""Moves that the refining stages and the searches share: put units back, put others in, push those that are in."""

import torch
from torch import Tensor

from explorer.attacks.problem import Problem, as_images, as_units
from explorer.grid import to_grid
from explorer.types import Images, PerImage

MANY = 96  # changed units above which trying each costs more than it is worth


def single_reversals(problem: Problem, adversarial: Images) -> Tensor:
    """Margin (b, n) after reverting each changed unit alone; infinite where nothing changed.

    While steps are captured, a table of `problem.width` units per image stands for those that changed.
    """
    changed = problem.changed(adversarial)
    if problem.peeks:
        owner, where = changed.nonzero(as_tuple=True)
    else:
        width = min(problem.width, changed.shape[1])
        where = changed.to(torch.uint8).topk(width, dim=1).indices.flatten()
        owner = torch.arange(len(changed), device=changed.device).repeat_interleave(width)
    table = torch.full(changed.shape, torch.inf, dtype=adversarial.dtype, device=adversarial.device)
    parts = (each.split(problem.forward_size) for each in (owner, where))
    for some, places in zip(*parts, strict=True):
        margin = problem.margin(_reverted(problem, adversarial, some, places), some)
        table = table.index_put((some, places), margin.to(table.dtype))
    return table.masked_fill(~changed, torch.inf)


def without(problem: Problem, adversarial: Images, leaver: Tensor) -> Images:
    """The images with unit `leaver` (b,) of each put back."""
    rows = torch.arange(len(adversarial), device=adversarial.device)
    return _reverted(problem, adversarial, rows, leaver)


def reverted(problem: Problem, adversarial: Images, chosen: Tensor) -> Images:
    """The images with all units of `chosen` (b, n) put back."""
    units = torch.where(chosen[:, None], problem.clean, as_units(adversarial, problem.unit))
    return as_images(units, adversarial)


def push(problem: Problem, adversarial: Images, steps: int, size: float) -> tuple[Images, PerImage]:
    """Lower the margin by signed steps, of `size` in [0, 1] units, on the changed units only: the best of all visited
    images, on the grid and within the box, and its margin.
    """
    free = problem.values_of(problem.changed(adversarial))
    best, current = adversarial, adversarial
    least, gradient = problem.margin_and_gradient(current)
    for step in range(1, steps + 1):
        current = torch.where(free, pushed(problem, current, gradient, size), current)
        if step < steps:
            margin, gradient = problem.margin_and_gradient(current)
        else:
            margin = problem.margin(current)
        better = margin < least
        least = torch.where(better, margin, least)
        best = torch.where(better[:, None, None, None], current, best)
    return best, least


def pushed(problem: Problem, images: Images, gradient: Images, size: float) -> Images:
    """One signed step of every value against the gradient, on the grid and within the box."""
    return to_grid(images - size * gradient.sign()).clamp(problem.low, problem.high)


def _reverted(problem: Problem, adversarial: Images, owner: Tensor, where: Tensor) -> Images:
    """The adversarial image of each owner (m,) with its unit `where` (m,) put back: (m, 3, h, w)."""
    candidates = adversarial[owner]  # a copy
    rows = torch.arange(len(owner), device=owner.device)
    as_units(candidates, problem.unit)[rows, :, where] = problem.clean[owner, :, where]
    return candidates
