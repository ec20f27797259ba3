"""How well two labellings of the same pixels agree. NaN where the question makes no sense."""

import math

from scipy.stats import rankdata
from torch import Tensor


def cohens_kappa(one: Tensor, other: Tensor) -> float:
    """Cohen's kappa of two boolean labellings (n,): agreement beyond chance. NaN where both name one kind only."""
    n = len(one)
    if not n:
        return math.nan
    observed, p, q = (int(each.sum()) / n for each in (one == other, one, other))
    chance = p * q + (1 - p) * (1 - q)
    return (observed - chance) / (1 - chance) if chance < 1 else math.nan


def spearmans_rho(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation of (n,) and (n,). NaN below three values or where all are equal."""
    if len(one) < 3:
        return math.nan
    ranks = [rankdata(values.tolist()) for values in (one, other)]
    x, y = (rank - rank.mean() for rank in ranks)
    scale = math.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else math.nan
