"""Columns and changed pixels as text: what is unpacked is what was packed."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.grid import from_levels, to_grid
from explorer.packing import all_rounded, pack_changes, spread, squeezed, unpack_changes

INTEGERS = st.integers(-(2**31), 2**31 - 1)


@given(st.lists(st.tuples(INTEGERS, st.integers(0, 255)), max_size=40))
def test_columns_come_back_as_they_were(rows):
    first, second = ([row[i] for row in rows] for i in (0, 1))
    packed = squeezed(torch.tensor(first, dtype=torch.int32), torch.tensor(second, dtype=torch.uint8))
    assert [column.tolist() for column in spread(packed, "<i4", "u1")] == [first, second]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 255)), max_size=20))
def test_changed_pixels_come_back_and_the_clean_picture_stays_as_it_was(changes):
    image = from_levels(torch.arange(3 * 6 * 8, dtype=torch.uint8).view(3, 6, 8), torch.float32)
    adversarial, before = image.clone(), image.clone()
    for row, col, level in changes:
        adversarial[:, row, col] = level / 255
    again = unpack_changes(image, pack_changes(image, adversarial))
    assert torch.equal(again, to_grid(adversarial))
    assert torch.equal(image, before)


def test_numbers_are_rounded_to_six_digits_and_what_is_none_is_null():
    assert all_rounded([1.23456789, float("nan"), 0.0, 123456789.0]) == [1.23457, None, 0.0, 123457000.0]
