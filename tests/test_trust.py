"""The trust card says what the checks say, the gravest doubt first."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.evidence import trust
from explorer.evidence.trust import BETTER
from explorer.types import Checks, Evidence, PixelLabel

GOOD = Checks(
    completeness_error=0.002,
    agreement=1.0,
    kappa=1.0,
    rank_correlation=0.9,
    additivity=0.1,
    dissociation=0.8,
    dissociation_p=0.02,
)


def labelled(numbers, reversal, **checks: float) -> Evidence:
    pixels = []
    for row, (one, other) in enumerate(zip(numbers, reversal, strict=True)):
        kind, reversal_kind = ("obscuring" if hid >= led else "leading" for hid, led in (one, other))
        pixels.append(PixelLabel(row, 0, (0, 0, 0), (9, 9, 9), *one, kind, False, *other, reversal_kind))
    agreement = sum(pixel.agrees for pixel in pixels) / len(pixels)
    return Evidence(tuple(pixels), replace(GOOD, agreement=agreement, **checks), "integrated_gradients", 0, 1)


TRUE = [(3.0, 0.5), (2.0, 1.0), (0.2, 2.5), (0.1, 1.2)]


def test_true_labels_are_green():
    assert trust(labelled(TRUE, TRUE)).colour == "green"
    assert trust(labelled(TRUE, TRUE)).sentence.startswith("These labels hold")


@pytest.mark.parametrize(
    ("evidence", "colour", "why"),
    [
        (labelled([(math.nan, 0.5), *TRUE[1:]], TRUE), "red", "not finite"),
        (labelled(TRUE, [(math.inf, 0.5), *TRUE[1:]]), "red", "not finite"),
        (labelled([(0.0, 0.0)] * 4, TRUE, completeness_error=math.nan), "red", "zero of every pixel"),
        (labelled(TRUE, TRUE, completeness_error=0.4), "red", "do not add up"),
        (labelled(TRUE[::-1], TRUE), "red", "quite other effects"),
        (labelled([numbers[::-1] for numbers in TRUE], TRUE), "red", "quite other effects"),
        # correlation 25/31; on average over all ways to deal the numbers out 27/31, at best 1
        (labelled([(3.0, 0.0), (2.0, 0.0), (4.0, 0.0)], [(2.0, 0.0), (4.0, 0.0), (3.0, 0.0)]), "red", "dealt out"),
        (labelled(TRUE, TRUE, dissociation=-0.1), "amber", "as groups"),
        (labelled([*TRUE, (0.5, 0.6), (0.5, 0.6)], [*TRUE, (0.6, 0.5), (0.6, 0.5)]), "amber", "only 4 of 6"),
        (labelled(TRUE, TRUE, additivity=0.6), "amber", "act together"),
    ],
)
def test_the_gravest_doubt_decides(evidence, colour, why):
    card = trust(evidence)
    assert card.colour == colour
    assert why in card.sentence
    assert card.sentence.startswith("Don't trust these labels here" if colour == "red" else "Take care")


NUMBERS = st.lists(st.tuples(*[st.floats(-5, 5).map(lambda x: round(x, 3))] * 2), min_size=2, max_size=6)


@given(NUMBERS)
def test_the_places_of_the_numbers_are_judged(reversal):
    """The reversal's own numbers are never red; dealt out in the way that fits it worst they are, if that matters."""
    assume(np.ptp(reversal) > 0)
    assert trust(labelled(reversal, reversal)).colour != "red"
    centred = np.array(reversal) - np.mean(reversal)
    ways = [list(order) for order in permutations(range(len(reversal)))]
    fits = [(centred[way] * centred).sum() / (centred**2).sum() for way in ways]
    assume(abs(min(fits) - (1 - BETTER)) > 1e-9)
    worst = labelled([reversal[each] for each in ways[int(np.argmin(fits))]], reversal)
    assert (trust(worst).colour == "red") == (min(fits) < 1 - BETTER)


def test_what_is_undefined_raises_no_doubt():
    nothing = {"completeness_error": math.nan, "dissociation": math.nan, "dissociation_p": math.nan}
    card = trust(labelled(TRUE, TRUE, **nothing))
    assert card.colour == "green"
    assert "groups" not in card.sentence
    assert trust(labelled(TRUE[:1], TRUE[:1], **nothing)).colour == "green"


def test_without_a_changed_pixel_there_is_nothing_to_label():
    assert trust(Evidence((), GOOD, "integrated_gradients", 0, 1)).colour == "amber"
