"""The trust card: may these labels be believed? Green, amber or red, with the sentence why. Ours.

The bounds were chosen so that labels known to be wrong (numbers exchanged among the pixels, of a network with random
weights, of another picture) turn red on 95 % of the pictures or more where the shares must add up, and true ones
seldom; the README has what was measured, for these and the other methods. How well the numbers are placed is judged
against the best way to deal them out, an assignment problem (Hungarian method).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from explorer.types import Evidence

Colour = Literal["green", "amber", "red"]

INCOMPLETE = 0.05  # completeness error above which the shares are not those of this change
UNLIKE = 0.3  # correlation of the numbers with the reversal's below which they are not about these pixels
LOOSE = 0.7  # below which they are not exact
PLACED = 0.5  # below which the numbers' places are nearer to chance (0) than to the best way to deal them out (1) ...
BETTER = 0.03  # ... where that fits the reversal better by so much of a correlation
CONFIRMED = 0.7  # share of confirmed labels below which some must be wrong
JOINT = 0.3  # additivity above which no single pixel's share is the whole truth


@dataclass(frozen=True)
class Card:
    """The answer."""

    colour: Colour
    sentence: str


@lru_cache(maxsize=64)  # for 1,500 pixels it takes a second, and the page asks again with every click
def trust(evidence: Evidence) -> Card:
    """Judge the labels by their checks; the gravest doubt decides."""
    checks, n = evidence.checks, len(evidence.pixels)
    if not n:
        return Card("amber", "No pixel changed, so there is nothing to label.")
    numbers = np.array([(pixel.obscuring, pixel.leading) for pixel in evidence.pixels])
    reversal = np.array([(pixel.reversal_obscuring, pixel.reversal_leading) for pixel in evidence.pixels])
    if not (np.isfinite(numbers).all() and np.isfinite(reversal).all()):
        return Card("red", "Don't trust these labels here: some numbers, or the reversal's, are not finite.")
    if any(pixel.before == pixel.after for pixel in evidence.pixels):
        return Card(
            "red",
            "Don't trust these labels here: some labelled pixels have the same colour before and after the attack.",
        )
    if not numbers.any():
        return Card(
            "red", "Don't trust these labels here: the method says zero of every pixel, which tells no kinds apart."
        )
    likeness, placed = _compared(numbers, reversal)
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
    if placed < PLACED:
        return Card(
            "red",
            "Don't trust these labels here: the numbers would fit the effects of putting pixels back better if they "
            "were dealt out among the pixels in another way.",
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
    ways = "one at a time" if math.isnan(checks.dissociation) else "alone and in groups"
    confirmed = sum(pixel.agrees for pixel in evidence.pixels)
    most = "" if confirmed == n else f", for {confirmed} of {n} of them"
    return Card("green", f"These labels hold: putting the pixels back, {ways}, does what they say{most}.")


def _compared(numbers: np.ndarray, reversal: np.ndarray) -> tuple[float, float]:
    """How much the numbers (n, 2) resemble the reversal's: their correlation; and how well they are placed. If they
    were dealt out among the pixels anew, the correlation would be another one: its mean over all ways counts as 0, the
    best as 1.
    """
    numbers, reversal = numbers - numbers.mean(), reversal - reversal.mean()
    scale = np.linalg.norm(numbers) * np.linalg.norm(reversal)
    if scale == 0:
        return 1.0, 1.0  # nothing to contradict
    fit = numbers @ reversal.T / scale  # (n, n): the numbers of one pixel with the reversal of another
    likeness, chance = fit.trace(), fit.sum() / len(fit)
    best = fit[linear_sum_assignment(fit, maximize=True)].sum()
    return likeness, (likeness - chance) / (best - chance) if best > likeness + BETTER else 1.0
