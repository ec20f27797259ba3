"""From two numbers per pixel to a label, and from the labels to their checks."""

import math

import torch
from torch import Tensor

from explorer.evidence.agreement import cohens_kappa, spearmans_rho
from explorer.evidence.attributions import METHODS
from explorer.evidence.attributions.paths import relative_error
from explorer.evidence.checks import dissociation
from explorer.evidence.reversal import Reversals
from explorer.grid import levels
from explorer.types import Checks, Evidence, Kind, PixelLabel

WEAK_SHARE = 0.05  # of the whole change: a pixel that moves less than this is weak; one of many only below ...
WEAK_PART = 0.5  # ... this part of what each would move if all moved alike
WEAK_GAP = 0.1  # of the larger number: closer than this and the two numbers do not tell the kinds apart
SPLITS = 99  # other splits into two groups that the labels' own one is compared with


def labelled(reversals: Reversals, method: str, shares: Tensor, splits: int) -> Evidence:
    """The evidence that `shares` (2, n) of `method` are, with its checks."""
    case = reversals.case
    obscuring, leading = shares
    whole = torch.stack([case.lost, case.gained])
    reversal = torch.stack(reversals.single())
    hides, reversal_hides = shares[0] >= shares[1], reversal[0] >= reversal[1]
    larger = shares.amax(0)
    shared_out = METHODS[method].unit == "logits"
    small = min(WEAK_SHARE, WEAK_PART / case.n_pixels) * whole.abs().mean() if shared_out else WEAK_SHARE
    weak = (larger < small) | ((obscuring - leading).abs() < WEAK_GAP * larger)
    groups = dissociation(reversals, hides, splits)
    checks = Checks(
        completeness_error=relative_error(shares, whole) if METHODS[method].complete else math.nan,
        agreement=int((hides == reversal_hides).sum()) / case.n_pixels,
        kappa=cohens_kappa(hides, reversal_hides),
        rank_correlation=spearmans_rho(obscuring - leading, reversal[0] - reversal[1]),
        additivity=relative_error(reversal[:1], whole[:1]),
        dissociation=groups.d,
        dissociation_p=groups.p,
    )
    rows, cols = case.places
    before, after = (levels(picture[:, rows, cols].T).tolist() for picture in (case.image, case.adversarial))
    columns = [rows, cols, obscuring, leading, weak, *reversal]
    pixels = tuple(
        PixelLabel(
            row=row,
            col=col,
            before=tuple(old),
            after=tuple(new),
            obscuring=hid,
            leading=led,
            kind=kind,
            weak=is_weak,
            reversal_obscuring=ro,
            reversal_leading=rl,
            reversal_kind=reversal_kind,
        )
        for old, new, kind, reversal_kind, row, col, hid, led, is_weak, ro, rl in zip(
            before, after, kinds(shares), kinds(reversal), *(column.tolist() for column in columns), strict=True
        )
    )
    return Evidence(pixels, checks, method, case.label, case.wrong, METHODS[method].unit)


def kinds(shares: Tensor) -> tuple[Kind, ...]:
    """The kind that each pixel has by its two numbers (2, n)."""
    return tuple("obscuring" if hides else "leading" for hides in (shares[0] >= shares[1]).tolist())
