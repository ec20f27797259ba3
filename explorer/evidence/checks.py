"""Checks of the labels that know nothing of how they came about: groups of pixels are put back, in this order or that.

`hides` (n,) bool says which pixels are labelled obscuring; `shares` (2, n) are their obscuring and leading numbers.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from captum.metrics import infidelity
from torch import Tensor

from explorer.evidence.attributions.no_trace import process_wide
from explorer.evidence.attributions.paths import POINT_VALUES, OfChange
from explorer.evidence.case import Case, centred
from explorer.evidence.reversal import Reversals

RANDOM_ORDERS = 3  # that a curve is compared with
SUBSETS = 16  # of pixels put back for the infidelity
TOP = 0.1  # share of the picture that ASM counts as salient


@dataclass(frozen=True)
class Dissociation:
    """Whether the two groups do what they are called."""

    d: float  # [R_y(O) - R_y(L)] + [R_t(L) - R_t(O)], R a share of the change; NaN where one kind is missing
    p: float  # of the null hypothesis that the labels mean nothing; NaN where no splits were tried
    splits: tuple[float, ...]  # the same number for splits of the same sizes: all of them, or random ones


def dissociation(reversals: Reversals, hides: Tensor, splits: int, seed: int = 0) -> Dissociation:
    """Put all obscuring pixels back, then all leading ones, and compare with `splits` other splits of these sizes.

    Where there are no more than `splits` different ones all of them are tried, and p is exact; otherwise
    p = (1 + #{D_random >= D}) / (1 + N).
    """
    case, n, k = reversals.case, len(hides), int(hides.sum())
    if not 0 < k < n or case.lost <= 0 or case.gained <= 0:
        return Dissociation(math.nan, math.nan, ())
    others, exact = _splits(n, k, splits, seed)
    obscuring = torch.cat([hides.cpu()[None], others])
    effects = reversals.effects(torch.cat([obscuring, ~obscuring])) / torch.stack([case.lost, case.gained])
    of_obscuring, of_leading = effects.chunk(2)
    gap = of_obscuring - of_leading
    d, *drawn = (gap[:, 0] - gap[:, 1]).tolist()
    if not splits:
        return Dissociation(d, math.nan, ())
    at_least = sum(other >= d - 1e-6 for other in drawn)
    p = at_least / len(drawn) if exact else (1 + at_least) / (1 + len(drawn))
    return Dissociation(d, p, tuple(drawn))


def _splits(n: int, k: int, splits: int, seed: int) -> tuple[Tensor, bool]:
    """Masks (m, n) with k True each, and whether they are all that there are."""
    if not splits:
        return torch.zeros(0, n, dtype=torch.bool), False
    if math.comb(n, k) <= splits:
        chosen = torch.tensor(list(combinations(range(n), k)))
        return torch.zeros(len(chosen), n, dtype=torch.bool).scatter(1, chosen, True), True
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(splits, n, generator=generator).argsort(1)
    return order < k, False


@dataclass(frozen=True)
class Curve:
    """How far the picture's lead of the wrong class over the true one has gone, pixel by pixel: 1 is all, 0 none."""

    scored: tuple[float, ...]  # n + 1 values, in the order of the scores
    random: tuple[float, ...]  # the mean over random orders

    @property
    def advantage(self) -> float:
        """Mean height of the random curve above the scored one: positive, the scores know what matters."""
        return math.fsum(r - s for r, s in zip(self.random, self.scored, strict=True)) / len(self.scored)


def curves(reversals: Reversals, shares: Tensor, seed: int = 0) -> tuple[Curve, Curve]:
    """Deletion and insertion (arXiv 1806.07421) over the changed pixels.

    Deletion puts pixels back into the attacked picture, the highest obscuring + leading first. Insertion changes them
    in the clean picture in the same order; its heights are 1 - what has been reached, so that low is good for both.
    """
    case, n = reversals.case, shares.shape[1]
    generator = torch.Generator().manual_seed(seed)
    orders = [shares.sum(0).argsort(descending=True).cpu()]
    orders += [torch.randperm(n, generator=generator) for _ in range(RANDOM_ORDERS)]
    whole = (case.lost + case.gained).item()
    steps = torch.stack([_nested(order) for order in orders])  # (1 + RANDOM_ORDERS, n + 1, n)
    found = []
    for back in (steps, ~steps):
        effects = reversals.effects(back.flatten(0, 1)).sum(1).view(len(orders), n + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = np.array(effects.tolist()) / whole  # on the host, in double precision: a device may have none
        height = 1 - effect if back is steps else effect
        found.append(Curve(tuple(height[0].tolist()), tuple(height[1:].mean(0).tolist())))
    return found[0], found[1]


def _nested(order: Tensor) -> Tensor:
    """Masks (n + 1, n): the first 0, 1, ... n of `order`."""
    n = len(order)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(n)
    return rank[None] < torch.arange(n + 1)[:, None]


def relative_infidelity(reversals: Reversals, shares: Tensor, seed: int = 0) -> float:
    """Infidelity (arXiv 1901.09392) with random groups of changed pixels put back: the mean squared error with which
    the shares foretell what that does, as a share of its mean square. 0 is exact, 1 as bad as foretelling nothing.
    """
    case, (rows, cols) = reversals.case, reversals.case.places
    change = case.adversarial - case.image
    back = torch.rand(SUBSETS, len(rows), generator=torch.Generator().manual_seed(seed)) < 0.5
    masks = torch.zeros(SUBSETS, 1, *change.shape[1:])
    masks[:, 0, rows.cpu(), cols.cpu()] = back.float()
    masks = masks.to(change)
    turn = iter(masks.split(batch := max(1, POINT_VALUES // change.numel())))

    def put_back(inputs: Tensor) -> tuple[Tensor, Tensor]:
        some = next(turn)
        return torch.cat([some] * 3, 1) / 3, inputs * (1 - some)

    model, error = OfChange(case.network, case.image), 0.0
    with process_wide(), torch.no_grad():
        for towards, target in zip((-shares[0], shares[1]), case.classes.tolist(), strict=True):
            turn = iter(masks.split(batch))
            attribution = torch.zeros_like(change)
            attribution[:, rows, cols] = towards
            error += infidelity(
                model,
                put_back,
                change[None],
                attribution[None],
                target=target,
                n_perturb_samples=SUBSETS,
                max_examples_per_batch=batch,
            ).item()
    size = reversals.effects(back).square().mean(0).sum().item()
    return error / size if size > 0 else math.nan


@dataclass(frozen=True)
class Asm:
    """Adversarial saliency (StrAttack, arXiv 1808.01664): do the changes lie where a small change would do most?"""

    share: float  # IS = |B * change| / |change|, B the TOP of the pixels by adversarial saliency
    chance: float  # the same for changes strewn at random: the square root of B's share of the picture


def adversarial_saliency(case: Case) -> Asm:
    """ASM = max(0, dZ_t/dx) * max(0, -dZ_y/dx) on the clean picture, summed over the channels."""
    image = case.image[None].clone().requires_grad_()
    with torch.enable_grad():
        logits = centred(case.network(image.clone()))[0]  # a network may write into what it is given
        of_true, of_wrong = (torch.autograd.grad(logits[k], image, retain_graph=True)[0][0] for k in case.classes)
    salience = (of_wrong.clamp(min=0) * (-of_true).clamp(min=0)).sum(0)
    change = (case.adversarial - case.image).square().sum(0)
    best = salience.flatten().topk(max(1, round(TOP * salience.numel()))).indices
    share = (change.flatten()[best].sum() / change.sum()).sqrt().item()
    return Asm(share, math.sqrt(len(best) / salience.numel()))
