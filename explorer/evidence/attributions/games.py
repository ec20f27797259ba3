"""Attributions of the change as a game whose players are the changed pixels: by putting groups of them back."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from explorer.evidence.reversal import EXACT, Reversals

PERMUTATIONS = 32  # drawn otherwise; each is also gone through backwards, which evens out most of the chance
MANY = 64  # pixels above which a quarter of the permutations has to do


def shapley(reversals: Reversals) -> Tensor:
    """Shapley values (2, n) of the changed pixels, in logits; they sum to the change. Exact up to EXACT pixels, above
    that from permutations and their reverses (Castro et al. 2009; arXiv 2104.12199).
    """
    n = reversals.case.n_pixels
    return _exact(reversals, n) if n <= EXACT else _sampled(reversals, n)


def _exact(reversals: Reversals, n: int) -> Tensor:
    codes = torch.arange(2**n)
    back = (codes[:, None] >> torch.arange(n)) & 1 == 1
    size = back.sum(1)
    weight = torch.exp(torch.lgamma(size + 1.0) + torch.lgamma(n - size + 0.0) - torch.lgamma(torch.tensor(n + 1.0)))
    # Summed on the host, in double precision: a device may have none.
    effects, weights = (np.array(each.tolist()).T for each in (reversals.effects(back), weight))  # (2, 2^n) and (2^n,)
    shares = []
    for i in range(n):
        without = codes[~back[:, i]].numpy()
        with np.errstate(invalid="ignore"):  # of what is not finite
            shares.append((effects[:, without + 2**i] - effects[:, without]) @ weights[without])
    return torch.tensor(np.stack(shares, 1).tolist(), dtype=reversals.case.logits.dtype).to(reversals.case.logits)


def _sampled(reversals: Reversals, n: int) -> Tensor:
    total, drawn = reversals.case.logits.new_zeros(2, n), 0
    for order in _orders(n):
        back = torch.zeros(n + 1, n, dtype=torch.bool)
        for place, pixel in enumerate(order):
            back[place + 1 :, pixel] = True
        total[:, order] += reversals.effects(back).diff(dim=0).T
        drawn += 1
    return total / drawn


def _orders(n: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for _ in range(PERMUTATIONS if n <= MANY else PERMUTATIONS // 4):
        order = torch.randperm(n, generator=generator)
        yield from (order, order.flip(0))
