"""Painting by hand: within its budget, on the 8-bit grid, and every stroke can be undone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.grid import same_picture
from explorer.pipeline import Painting, hex_colour
from explorer.samples import find_sample

IMAGE = find_sample("stop-1").image
places = st.tuples(st.integers(-5, 70), st.integers(-5, 70))
colours = st.tuples(*[st.integers(0, 255)] * 3)
strokes = st.lists(st.tuples(st.lists(places, max_size=30), colours), max_size=6)


@settings(max_examples=40, deadline=None)
@given(strokes, st.integers(0, 40))
def test_no_stroke_goes_beyond_the_budget_or_the_grid(given_strokes, at_most):
    painting = Painting(IMAGE)
    for where, colour in given_strokes:
        before = painting
        painting = before.painted(where, colour, at_most)
        assert len(painting.changed) <= at_most
        if painting is not before:
            assert same_picture(painting.undone().picture, before.picture)
    assert torch.equal((painting.picture * 255).round() / 255, painting.picture)
    assert same_picture(painting.cleared().picture, IMAGE)


def test_a_full_budget_still_lets_painted_pixels_change_their_colour():
    painting = Painting(IMAGE).painted([(0, 0), (0, 1), (0, 2)], (1, 2, 3), 2)
    assert painting.changed == {(0, 0), (0, 1)}
    again = painting.painted([(0, 1), (9, 9)], (200, 0, 0), 2)
    assert again.changed == painting.changed
    assert again.picture[:, 0, 1].mul(255).round().tolist() == [200, 0, 0]


def test_a_pixel_in_its_own_colour_counts_for_nothing():
    own = tuple(IMAGE[:, 5, 5].mul(255).round().int().tolist())
    painting = Painting(IMAGE).painted([(5, 5)], (1, 2, 3), 1)
    assert len(painting.changed) == 1
    freed = painting.painted([(5, 5)], own, 1).painted([(6, 6)], (1, 2, 3), 1)
    assert freed.changed == {(6, 6)}


def test_a_colour_is_read_or_refused_in_one_sentence():
    assert hex_colour("#ff8000") == (255, 128, 0)
    for bad in ("", "red", "#fff", "#12345g", "#1234567", "#ff8000\n"):
        with pytest.raises(ValueError, match="six hexadecimal digits"):
            hex_colour(bad)
