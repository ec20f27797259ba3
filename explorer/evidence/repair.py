"""The smallest sets: the fewest changes that still fool, and the fewest that must be put back to repair.

Up to EXACT changed pixels every group is tried, smallest first, so the answer is the smallest there is; above that it
is found greedily, and may be larger than needed unless it has one pixel, or two where no single one will do.
"""

from dataclasses import dataclass
from functools import partial
from itertools import combinations

import torch
from torch import Tensor

from explorer.evidence.reversal import EXACT, Reversals
from explorer.numerics import margins


@dataclass(frozen=True)
class SmallestSet:
    """Indices of changed pixels."""

    pixels: tuple[int, ...]
    exact: bool  # no smaller set will do
    lead: float  # of the strongest other class over the attacked one (of the target over all others), in logits


def smallest_still_fooling(reversals: Reversals, target: int | None = None) -> SmallestSet | None:
    """The fewest changed pixels that fool by themselves; of equally small sets the one with the largest lead.

    With a `target` only that class counts as fooled. None if not even all of them fool.
    """
    n, lead = reversals.case.n_pixels, partial(_lead, reversals, target)
    if lead(torch.zeros(1, n, dtype=torch.bool)).item() <= 0:
        return None
    if n <= EXACT:
        for size in range(1, n + 1):
            kept = _all_of_size(n, size)
            leads = lead(~kept)
            if leads.max() > 0:
                best = int(leads.argmax())
                return SmallestSet(tuple(kept[best].nonzero()[:, 0].tolist()), True, leads[best].item())
    back = torch.zeros(n, dtype=torch.bool)
    while True:  # put back, one by one, what is missed least
        tried = back | torch.eye(n, dtype=torch.bool)[~back]
        leads = lead(tried)
        if not len(tried) or leads.max() <= 0:
            break
        back = tried[int(leads.argmax())]
    left = lead(back[None]).item()
    kept = tuple((~back).nonzero()[:, 0].tolist())
    return SmallestSet(kept, len(kept) == 1, left)


def smallest_repair(reversals: Reversals, target: int | None = None) -> SmallestSet | None:
    """The fewest changed pixels to put back so that the attacked class is seen again (with a `target`, so that this one
    is not); of equally small sets the one that leaves the others furthest behind. None if not even all of them fool.
    """
    n, lead = reversals.case.n_pixels, partial(_lead, reversals, target)
    back = torch.zeros(n, dtype=torch.bool)
    left = lead(back[None]).item()
    if left <= 0:
        return None
    if n <= EXACT:
        for size in range(1, n + 1):
            tried = _all_of_size(n, size)
            leads = lead(tried)
            if leads.min() < 0:
                best = int(leads.argmin())
                return SmallestSet(tuple(tried[best].nonzero()[:, 0].tolist()), True, leads[best].item())
    while left >= 0 and not back.all():
        tried = back | torch.eye(n, dtype=torch.bool)[~back]
        leads = lead(tried)
        back, left = tried[int(leads.argmin())], leads.min().item()
    found = tuple(back.nonzero()[:, 0].tolist())
    return SmallestSet(found, len(found) <= 2, left)  # every single one was tried first


def _lead(reversals: Reversals, target: int | None, back: Tensor) -> Tensor:
    """How far the picture with pixels (m, n) put back fools, (m,) logits: > 0 if it does."""
    logits = reversals(back)
    labels = torch.full((len(back),), reversals.case.label, device=logits.device)
    return -margins(logits, labels, None if target is None else torch.full_like(labels, target))


def _all_of_size(n: int, size: int) -> Tensor:
    chosen = torch.tensor(list(combinations(range(n), size)))
    return torch.zeros(len(chosen), n, dtype=torch.bool).scatter(1, chosen, True)
