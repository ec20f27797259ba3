"""The trust card: may these labels be believed? Green, amber or red, with the sentence why. Ours.

The bounds were chosen so that labels known to be wrong (numbers exchanged among the pixels, of a network with random
weights, of another picture) turn red on at least 95 % of the pictures, and true ones seldom; the README has the table.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from explorer.types import Evidence

Colour = Literal["green", "amber", "red"]

INCOMPLETE = 0.05  # completeness error above which the shares are not those of this change
UNLIKE = 0.35  # correlation of the numbers with the reversal's below which they are not about these pixels
LOOSE = 0.7  # below which they are not exact
CONFIRMED = 0.7  # share of confirmed labels below which some must be wrong
JOINT = 0.3  # additivity above which no single pixel's share is the whole truth


@dataclass(frozen=True)
class Card:
    """The answer."""

    colour: Colour
    sentence: str


def trust(evidence: Evidence) -> Card:
    """Judge the labels by their checks; the gravest doubt decides."""
    checks, n = evidence.checks, len(evidence.pixels)
    if not n:
        return Card("amber", "No pixel changed, so there is nothing to label.")
    likeness, contrast = _compared(evidence)
    if checks.completeness_error > INCOMPLETE:
        return Card(
            "red",
            "Don't trust these labels here: the pixels' shares do not add up to what the change did.",
        )
    if likeness < UNLIKE:
        return Card(
            "red",
            "Don't trust these labels here: putting the pixels back, one at a time, has quite other effects than the "
            f"numbers say (correlation {likeness:.2f}).",
        )
    if contrast < 0:
        return Card(
            "red",
            "Don't trust these labels here: putting the pixels back shows the opposite kinds where it matters most.",
        )
    if checks.dissociation <= 0:
        return Card(
            "amber", "Take care: as groups, the obscuring and the leading pixels do not do what they are called."
        )
    if checks.agreement < CONFIRMED:
        confirmed = sum(pixel.agrees for pixel in evidence.pixels)
        return Card("amber", f"Take care: putting the pixels back confirms only {confirmed} of {n} labels.")
    if checks.additivity > JOINT:
        return Card("amber", "Take care: the pixels act together, so no share of a single one is the whole truth.")
    if likeness < LOOSE:
        return Card(
            "amber",
            f"Take care with the sizes: the numbers resemble those of putting pixels back only roughly (correlation "
            f"{likeness:.2f}).",
        )
    return Card("green", "These labels hold: putting the pixels back, alone and in groups, does what they say.")


def _compared(evidence: Evidence) -> tuple[float, float]:
    """How much the numbers resemble the reversal's: the correlation of all of them, and the (uncentred) correlation of
    obscuring - leading, which decides the kinds.
    """
    numbers = torch.tensor([(p.obscuring, p.leading) for p in evidence.pixels], dtype=torch.float64)
    reversal = torch.tensor([(p.reversal_obscuring, p.reversal_leading) for p in evidence.pixels], dtype=torch.float64)
    gaps = numbers[:, 0] - numbers[:, 1], reversal[:, 0] - reversal[:, 1]
    return _cosine(numbers - numbers.mean(), reversal - reversal.mean()), _cosine(*gaps)


def _cosine(one: Tensor, other: Tensor) -> float:
    """From -1 to 1; 1 where either is nothing, for then there is nothing to contradict."""
    scale = one.norm() * other.norm()
    return float((one * other).sum() / scale) if scale > 0 else 1.0
