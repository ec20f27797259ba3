"""Formulas against values worked out by hand, and slopes against automatic differentiation."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.grid import to_grid
from explorer.numerics import margins, slope_at_zero, smoothed_l0, smoothed_l0_slope

LOGITS = torch.tensor([[3.0, 1.0, 2.5], [0.0, 4.0, 4.0]])


def test_margin_is_the_lead_over_the_best_other_class():
    assert margins(LOGITS, torch.tensor([0, 0])).tolist() == [0.5, -4.0]


def test_targeted_margin_is_the_lead_of_the_best_other_class_over_the_target():
    assert margins(LOGITS, torch.tensor([0, 0]), torch.tensor([2, 2])).tolist() == [0.5, 0.0]


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20))
def test_grid_is_what_a_png_holds(values):
    images = torch.tensor(values)
    rounded = to_grid(images)
    assert torch.equal(rounded.mul(255).round().to(torch.uint8).float().div(255), rounded)
    assert (rounded - images).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.equal(to_grid(rounded), rounded)


@pytest.mark.parametrize("surrogate", ["normal", "sigmoid"])
def test_slope_is_the_derivative_of_the_smoothed_step(surrogate):
    v = torch.linspace(0, 1, 21, dtype=torch.float64, requires_grad=True)
    a = torch.tensor(0.2, dtype=torch.float64)
    (derivative,) = torch.autograd.grad(smoothed_l0(v, a, surrogate).sum(), v)
    torch.testing.assert_close(smoothed_l0_slope(v.detach(), a, surrogate) * slope_at_zero(a, surrogate), derivative)


@pytest.mark.parametrize("surrogate", ["normal", "sigmoid"])
def test_smoothed_step_becomes_a_count_as_the_width_goes_to_zero(surrogate):
    v = torch.tensor([0.0, 0.05, 0.4, 1.0])
    count = (2 * smoothed_l0(v, torch.tensor(1e-3), surrogate) - 1).sum()
    assert count.item() == pytest.approx(3)
