"""What is proposed to change: by the gradient here, and a step further."""

import math

import pytest
import torch
from test_driver import pictures, problem_for, small

from explorer import Greedy
from explorer.attacks import polishing
from explorer.attacks.moves import push
from explorer.attacks.problem import Problem
from explorer.attacks.proposals import looking_ahead
from explorer.grid import to_grid

SIZE = 6
SLOPE, BEND = 2.0, 3.0


def bent(images):
    """Class 1 leads by sum(SLOPE v - BEND v^2) - 1 over all values v."""
    lead = (SLOPE * images - BEND * images.square()).flatten(1).sum(1) - 1
    return torch.stack([torch.zeros_like(lead), lead], 1)


def test_the_mean_of_both_gradients_is_that_of_half_the_step():
    """Of a parabola the gradient is linear: -SLOPE + 2 BEND v at v, and its mean over a step what it is half-way."""
    images = to_grid(torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 0.3)
    images[2] = 0.5  # where the gradient has turned round
    barred = torch.zeros(3, SIZE**2, dtype=torch.bool)
    barred[:, 7] = True
    for unit in ("pixel", "entry"):
        labels, low, high = torch.zeros(3, dtype=torch.int64), torch.zeros_like(images), torch.ones_like(images)
        problem = Problem(bent, images, labels, None, low, high, unit=unit)
        left_out = barred if unit == "pixel" else barred.repeat(1, 3)
        _, gradient = problem.margin_and_gradient(images)
        found = looking_ahead(problem, images, gradient, left_out, 0.1)
        end = (gradient < 0).float()
        half = torch.where(barred.view(3, 1, SIZE, SIZE), images, images + 0.05 * (end - images))
        assert torch.allclose(found, -SLOPE + 2 * BEND * half, atol=1e-5)
        assert torch.allclose(looking_ahead(problem, images, gradient, left_out, 0.0), gradient)


def test_a_look_ahead_finds_what_goes_on_where_others_turn_back():
    """Of all pixels but one the first step brings most, and a whole one nothing; one candidate is tried."""
    lone = 20

    def network(images):
        values = images.flatten(2).mean(1)
        turning = 3 * values - 20 * values.square()
        turning[:, lone] = 2.8 * values[:, lone]
        lead = turning.sum(1) - 1
        return torch.stack([torch.zeros_like(lead), lead], 1)

    images, labels = torch.zeros(1, 3, SIZE, SIZE), torch.tensor([0])
    found = {
        step: Greedy(lookahead=step, steps=2, classes=1, candidates=1, polish=False)(network, images, labels)
        for step in (0.0, 0.06)
    }
    assert not found[0.0].succeeded.any()
    assert found[0.06].succeeded.all()
    changed = (found[0.06].adversarial != images).any(1).flatten()
    assert changed.nonzero()[:, 0].tolist() == [lone]


def test_no_look_ahead_asks_for_no_gradient_more():
    asked = []

    def network(images):
        asked.append(images.requires_grad)
        return bent(images)

    images, labels = torch.zeros(1, 3, SIZE, SIZE), torch.tensor([0])
    counts = []
    for step in (0.0, 0.06):
        asked.clear()
        Greedy(lookahead=step, steps=1, polish=False)(network, images, labels)
        counts.append(sum(asked))
    assert counts[1] == counts[0] + 1


@pytest.mark.parametrize("within", [0.0, 0.15, math.inf])
def test_a_push_is_spared_where_the_newcomer_leaves_too_much(within, monkeypatch):
    """Pushes of polishing are counted by who asks: all without a limit, and none that is spared was near."""
    asked = []

    def counted(problem, images, steps, size):
        asked.append(len(images))
        return push(problem, images, steps, size)

    monkeypatch.setattr(polishing, "push", counted)
    network, images = small(), pictures(6)
    labels = network(images).argmax(1)
    start = Greedy(polish=False)(network, images, labels).adversarial
    problem = problem_for(network, images)
    stage = polishing.Polishing(swaps=6, kicks=0, push_within=within)
    with torch.no_grad():
        state = stage.start(problem, start)
        asked.clear()
        swaps = 0
        for t in range(12):
            before = state["swapped"].sum()
            state = stage.step(problem, state, torch.tensor(t))
            swaps += int(state["swapped"].sum() - before)
    assert swaps >= 6
    assert sum(asked) == swaps if within == math.inf else sum(asked) < swaps
    assert (problem.changed(state["candidate"]).sum(1) <= problem.changed(start).sum(1)).all()


def fewest_units(stage, problem, state):
    """Steps from `state` until all is finished: the units of each smallest image that fools, or of the first."""
    fewest = problem.changed(state["candidate"]).sum(1)
    for t in range(stage.rounds):
        state = stage.step(problem, state, torch.tensor(t))
        count = problem.changed(state["candidate"]).sum(1)
        fewest = torch.where(state["margin"] < 0, torch.minimum(fewest, count), fewest)
    assert state["finished"].all()
    return fewest.tolist()


PEAK = 0.85  # of a value: at the end of the box it brings a thirtieth less


def peaked(images):
    """Class 1 leads by what all pixels bring, 1 each at PEAK, less 1.96: two are enough there, and not at the end."""
    lead = (1 - ((images - PEAK) / PEAK).square()).mean(1).flatten(1).sum(1) - 1.96
    return torch.stack([torch.zeros_like(lead), lead], 1)


@pytest.mark.parametrize("peeks", [True, False])
@pytest.mark.parametrize(("share", "units"), [(0.01, 3), (0.25, 2)])
def test_a_near_miss_is_pushed_where_every_swap_was_refused(share, units, peeks, monkeypatch):
    """All pixels bring the same, so no swap is accepted, and the steps of a swap go past the peak and back."""
    steps_of = []

    def noted(problem, images, steps, size):
        steps_of.append(steps)
        return push(problem, images, steps, size)

    monkeypatch.setattr(polishing, "push", noted)
    images, labels = torch.zeros(2, 3, SIZE, SIZE), torch.zeros(2, dtype=torch.int64)
    problem = Problem(peaked, images, labels, None, images, torch.ones_like(images), peeks=peeks, width=SIZE**2)
    three = images.clone()
    three[:, :, 2, 1:4] = 1
    stage = polishing.Polishing(swaps=8, kicks=0, near_miss=share)
    with torch.no_grad():
        state = stage.start(problem, three)
        assert torch.equal(state["candidate"], three), "nothing is pushed before the search"
        assert not steps_of
        assert fewest_units(stage, problem, state) == [units, units]
    if peeks:
        assert (polishing.PUSH_STEPS in steps_of) == (units == 2)


@pytest.mark.parametrize("peeks", [True, False])
@pytest.mark.parametrize(("few", "found"), [(0, False), (1, True)])
def test_what_was_never_tried_is_tried_where_all_of_few_units_were_refused(few, found, peeks):
    """Pixel 30 alone fools, pixels 0 and 1 together, which promise more. One pixel is tried in a round."""
    promise = torch.full((SIZE**2,), 2.0).scatter(0, torch.tensor([0, 1, 30]), torch.tensor([4.0, 3.0, 2.5]))
    brought = torch.full((SIZE**2,), 0.1).scatter(0, torch.tensor([0, 1, 30]), torch.tensor([0.6, 0.5, 1.5]))

    def network(images):
        lead = (brought * (1 - (-promise / brought * images.mean(1).flatten(1)).exp())).sum(1) - 1
        return torch.stack([torch.zeros_like(lead), lead], 1)

    images, labels = torch.zeros(1, 3, SIZE, SIZE), torch.tensor([0])
    problem = Problem(network, images, labels, None, images, torch.ones_like(images), peeks=peeks, width=SIZE**2)
    two = images.clone()
    two.flatten(2)[:, :, :2] = 1
    stage = polishing.Polishing(swaps=8, kicks=0, candidates=1, near_miss=1e-9, few=few)
    with torch.no_grad():
        assert fewest_units(stage, problem, stage.start(problem, two)) == [1 if found else 2]
