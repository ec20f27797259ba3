"""Small formulas that several floors share: margins, the smoothed l0 count, and shares with their intervals."""

import math
from dataclasses import dataclass

import torch
from scipy.stats import binomtest

from explorer.types import Labels, Logits, PerImage


def margins(logits: Logits, labels: Labels, targets: Labels | None = None) -> PerImage:
    """How far each image is from being fooled, in logits; negative means fooled.

    Untargeted: z_y - max_{k != y} z_k. Targeted: max_{k != t} z_k - z_t. A tie is not fooled.
    """
    aim = labels if targets is None else targets
    own = logits.gather(1, aim[:, None])[:, 0]
    others = logits.scatter(1, aim[:, None], -math.inf).amax(1)
    return own - others if targets is None else others - own


def finite(gradient: torch.Tensor) -> torch.Tensor:
    """A gradient, contiguous, 0 where it is NaN or infinite: what it says of such a value cannot be followed."""
    return gradient.contiguous().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


def smoothed_l0_slope(v: torch.Tensor, a: torch.Tensor, surrogate: str) -> torch.Tensor:
    """Slope of the smoothed step at weight v >= 0, relative to its slope at 0: 1 at v = 0, falling to 0.

    "normal": exp(-(v/a)^2), from arXiv 2506.17250 (the step's derivative, the Dirac delta, as a normal of width a).
    "sigmoid": 4 s (1 - s) with s the logistic function of v/a (the ablation).
    """
    u = v / a
    return torch.exp(-u.square()) if surrogate == "normal" else torch.cosh(u / 2).square().reciprocal()


def smoothed_l0(v: torch.Tensor, a: torch.Tensor, surrogate: str) -> torch.Tensor:
    """The smoothed step itself, in [1/2, 1) for v >= 0; its sum over weights approximates the count as a -> 0."""
    u = v / a
    return 0.5 * (1 + torch.erf(u)) if surrogate == "normal" else torch.sigmoid(u)


def slope_at_zero(a: torch.Tensor, surrogate: str) -> torch.Tensor:
    """Slope of `smoothed_l0` at v = 0: 1 / (a sqrt(pi)) for the normal, 1 / (4 a) for the sigmoid."""
    return 1 / (a * math.sqrt(math.pi)) if surrogate == "normal" else 1 / (4 * a)


def percent(share: float, digits: int = 0) -> str:
    """A share in per cent that never claims certainty: 100 only for exactly 1, 0 only for exactly 0; a dash for NaN."""
    share, least = float(share), 10.0 ** -(2 + digits)
    if math.isnan(share):
        return "–"
    if 0 < share < least:
        return f"< {least:.{digits}%}".replace("%", " %")
    if 1 - least < share < 1:
        return f"> {1 - least:.{digits}%}".replace("%", " %")
    return f"{share:.{digits}%}".replace("%", " %")


@dataclass(frozen=True)
class Share:
    """So many of so many, with a 95 % interval (Wilson, 1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """NaN of none."""
        return self.hits / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """From 0 to 1 where nothing is known."""
        if not self.of:
            return 0.0, 1.0
        found = binomtest(self.hits, self.of).proportion_ci(method="wilson")
        return float(found.low), float(found.high)
