"""The smallest sets: the fewest changes that still fool, and the fewest that must be put back to repair.

Up to EXACT changed pixels every group is tried, smallest first, so the answer is the smallest there is; above that it
is found greedily, and may be larger.
"""

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from explorer.evidence.reversal import Reversals

EXACT = 12


@dataclass(frozen=True)
class SmallestSet:
    """Indices of changed pixels."""

    pixels: tuple[int, ...]
    exact: bool  # no smaller set will do
    lead: float  # of the strongest other class over the attacked one with this set, in logits: > 0 fools


def smallest_still_fooling(reversals: Reversals) -> SmallestSet | None:
    """The fewest changed pixels that fool by themselves; of equally small sets the one with the largest lead.

    None if not even all of them fool.
    """
    n = reversals.case.n_pixels
    if lead(reversals, torch.zeros(1, n, dtype=torch.bool)).item() <= 0:
        return None
    if n <= EXACT:
        for size in range(1, n + 1):
            kept = _all_of_size(n, size)
            leads = lead(reversals, ~kept)
            if leads.max() > 0:
                best = int(leads.argmax())
                return SmallestSet(tuple(kept[best].nonzero()[:, 0].tolist()), True, leads[best].item())
    back = torch.zeros(n, dtype=torch.bool)
    while True:  # put back, one by one, what is missed least
        tried = back | torch.eye(n, dtype=torch.bool)[~back]
        leads = lead(reversals, tried)
        if not len(tried) or leads.max() <= 0:
            break
        back = tried[int(leads.argmax())]
    left = lead(reversals, back[None]).item()
    return SmallestSet(tuple((~back).nonzero()[:, 0].tolist()), False, left)


def smallest_repair(reversals: Reversals) -> SmallestSet:
    """The fewest changed pixels to put back so that the attacked class is seen again; of equally small sets the one
    that leaves the others furthest behind.
    """
    n = reversals.case.n_pixels
    if n <= EXACT:
        for size in range(n + 1):
            back = _all_of_size(n, size)
            leads = lead(reversals, back)
            if leads.min() < 0:
                best = int(leads.argmin())
                return SmallestSet(tuple(back[best].nonzero()[:, 0].tolist()), True, leads[best].item())
    back = torch.zeros(n, dtype=torch.bool)
    left = lead(reversals, back[None]).item()
    while left >= 0 and not back.all():
        tried = back | torch.eye(n, dtype=torch.bool)[~back]
        leads = lead(reversals, tried)
        back, left = tried[int(leads.argmin())], leads.min().item()
    return SmallestSet(tuple(back.nonzero()[:, 0].tolist()), False, left)


def lead(reversals: Reversals, back: Tensor) -> Tensor:
    """How far the strongest other class is ahead of the attacked one, (m,) logits, with pixels (m, n) put back."""
    logits, label = reversals(back).clone(), reversals.case.label
    own = logits[:, label].clone()
    logits[:, label] = -torch.inf
    return logits.amax(1) - own


def _all_of_size(n: int, size: int) -> Tensor:
    masks = torch.zeros(1, n, dtype=torch.bool)
    if size:
        chosen = torch.tensor(list(combinations(range(n), size)))
        masks = torch.zeros(len(chosen), n, dtype=torch.bool).scatter(1, chosen, True)
    return masks
