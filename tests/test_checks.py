"""The checks: exact on games that are known, against brute force on small ones, and never fooled by order or chance."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.evidence import (
    METHODS,
    Case,
    Reversals,
    dissociation,
    examine,
    smallest_repair,
    smallest_still_fooling,
)
from explorer.evidence.attributions import games
from explorer.evidence.checks import adversarial_saliency, curves, relative_infidelity


class Game(torch.nn.Module):
    """Three classes over a row of pixels: linear effects of each pixel, and of each pair if asked for."""

    def __init__(self, effects: torch.Tensor, pairs: torch.Tensor | None = None) -> None:
        super().__init__()
        self.effects, self.pairs = effects, pairs  # (3, n) and (3, n, n)

    def forward(self, images):
        on = images[:, 0, 0]
        logits = torch.tensor([2.0, 0.0, -2.0]) + on @ self.effects.T
        if self.pairs is not None:
            logits = logits + torch.einsum("bi,kij,bj->bk", on, self.pairs, on)
        return logits


def play(effects, pairs=None) -> Reversals:
    """All pixels go from black to white; the class that is attacked is 0."""
    effects = torch.as_tensor(effects, dtype=torch.float32)
    n = effects.shape[1]
    game = Game(effects, None if pairs is None else torch.as_tensor(pairs, dtype=torch.float32))
    return Reversals(Case.of(game, torch.zeros(3, 1, n), torch.ones(3, 1, n), 0))


def random_game(n: int, seed: int) -> Reversals:
    generator = torch.Generator().manual_seed(seed)
    effects = torch.randn(3, n, generator=generator) + torch.tensor([[-1.0], [1.0], [0.0]])
    return play(effects, torch.randn(3, n, n, generator=generator) / n)


@settings(max_examples=12, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_shapley_is_the_mean_over_all_orders(n, seed):
    reversals = random_game(n, seed)
    expected = torch.zeros(2, n)
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        back = torch.zeros(n + 1, n, dtype=torch.bool)
        for place, pixel in enumerate(order):
            back[place + 1 :, pixel] = True
        expected[:, list(order)] += reversals.effects(back).diff(dim=0).T / len(orders)
    assert torch.allclose(games.shapley(reversals), expected, atol=1e-4)


def test_sampled_shapley_is_complete_and_near_the_exact_one():
    reversals = random_game(9, 5)
    exact, sampled = games._exact(reversals, 9), games._sampled(reversals, 9)
    whole = torch.stack([reversals.case.lost, reversals.case.gained])
    assert torch.allclose(sampled.sum(1), whole, atol=1e-4)
    assert torch.allclose(exact.sum(1), whole, atol=1e-4)
    assert (sampled - exact).abs().max() < 0.25 * exact.abs().max()  # pairs alone are exact under a reversed order


def test_every_picture_is_computed_once():
    reversals = random_game(5, 1)
    seen = []
    reversals.case.network.register_forward_hook(lambda _m, inputs, _o: seen.append(len(inputs[0])))
    games.shapley(reversals)
    assert sum(seen) == 2**5
    reversals.single()
    assert sum(seen) == 2**5


def test_the_groups_of_a_linear_game_dissociate_as_computed_by_hand():
    # centred effects: two pixels take 3 from class 0, two give 3 to class 1; class 2 keeps the mean where it is
    reversals = play([[-3, -3, 0, 0], [0, 0, 3, 3], [3, 3, -3, -3]])
    found = dissociation(reversals, torch.tensor([True, True, False, False]), splits=100)
    assert found.d == pytest.approx(2)  # all of either change comes back with its own group, nothing with the other
    assert len(found.splits) == 6  # all there are
    assert found.p == pytest.approx(1 / 6)
    worse = dissociation(reversals, torch.tensor([False, False, True, True]), splits=100)
    assert worse.d == pytest.approx(-2)
    assert worse.p == 1
    mixed = dissociation(reversals, torch.tensor([True, False, True, False]), splits=100)
    assert mixed.d == pytest.approx(0, abs=1e-6)


def test_many_pixels_are_split_at_random_and_p_is_never_zero():
    effects = [[-1.0] * 10 + [0.0] * 10, [0.0] * 10 + [1.0] * 10, [1.0] * 10 + [-1.0] * 10]
    found = dissociation(play(effects), torch.arange(20) < 10, splits=99)
    assert found.d == pytest.approx(2)
    assert len(found.splits) == 99
    assert found.p == pytest.approx(1 / 100)
    assert found == dissociation(play(effects), torch.arange(20) < 10, splits=99)


@pytest.mark.parametrize("hides", [[True, True], [False, False]])
def test_one_kind_alone_cannot_dissociate(hides):
    found = dissociation(play([[-3, -3], [3, 3], [0, 0]]), torch.tensor(hides), splits=9)
    assert math.isnan(found.d)
    assert math.isnan(found.p)


def test_curves_fall_from_all_to_nothing_and_the_true_order_beats_chance():
    reversals = play([[-4, -1, -0.5, -2], [4, 1, 0.5, 2], [0, 0, 0, 0]])
    shares = torch.stack(reversals.single())
    for curve in curves(reversals, shares):
        assert (curve.scored[0], curve.scored[-1]) == (pytest.approx(1), pytest.approx(0, abs=1e-6))
        assert (curve.random[0], curve.random[-1]) == (pytest.approx(1), pytest.approx(0, abs=1e-6))
        assert curve.advantage > 0.05
    for curve in curves(reversals, -shares):
        assert curve.advantage < -0.05


def test_infidelity_is_nothing_where_shares_are_exact_and_all_where_there_are_none():
    reversals = play([[-4, -1, 0.5], [4, 1, 0.5], [0, 0, 0]])
    shares = torch.stack(reversals.single())
    assert relative_infidelity(reversals, shares) == pytest.approx(0, abs=1e-6)
    assert relative_infidelity(reversals, torch.zeros(2, 3)) == pytest.approx(1)
    assert relative_infidelity(reversals, 2 * shares) == pytest.approx(1, abs=1e-4)


def test_adversarial_saliency_knows_where_a_change_would_do_most():
    effects = torch.zeros(3, 20)
    effects[0, 7], effects[1, 7] = -5, 5  # the only place that matters
    network, image = Game(effects), torch.zeros(3, 1, 20)
    found = {}
    for place in (7, 3):
        adversarial = image.clone()
        adversarial[:, 0, place] = 1
        found[place] = adversarial_saliency(Case.of(network, image, adversarial, 0))
    assert found[7].share == pytest.approx(1)
    assert found[7].chance == pytest.approx(math.sqrt(0.1))


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 10**6), target=st.sampled_from([None, 1, 2]))
def test_the_smallest_sets_are_the_smallest(n, seed, target):
    reversals = random_game(n, seed)
    sets = [set(each) for size in range(n + 1) for each in itertools.combinations(range(n), size)]

    def fools(back: set) -> bool:
        mask = torch.tensor([[i in back for i in range(n)]])
        seen = int(reversals(mask)[0].argmax())
        return seen != 0 if target is None else seen == target

    everything = set(range(n))
    repair, kept = smallest_repair(reversals, target), smallest_still_fooling(reversals, target)
    if not fools(set()):
        assert kept is None
        assert repair is None
    else:
        assert repair.exact
        assert not fools(set(repair.pixels))
        assert len(repair.pixels) == min(len(each) for each in sets if not fools(each))
        assert kept.exact
        assert fools(everything - set(kept.pixels))
        assert len(kept.pixels) == min(n - len(each) for each in sets if fools(each))


def test_above_twelve_pixels_the_search_is_greedy_and_says_so():
    effects = torch.zeros(3, 15)
    effects[0, :3], effects[1, :3] = -2, 2
    reversals = play(effects)
    kept, repair = smallest_still_fooling(reversals), smallest_repair(reversals)
    assert not repair.exact
    assert len(repair.pixels) == 3
    assert kept.lead > 0 > repair.lead
    assert len(kept.pixels) == 1
    assert kept.exact, "without any change it cannot fool"
    effects[0, :3], effects[1, :3] = -0.3, 0.3
    effects[0, 3:], effects[1, 3:] = -0.1, 0.1
    kept = smallest_still_fooling(play(effects))
    assert len(kept.pixels) > 1
    assert not kept.exact


@pytest.mark.parametrize("strong", [[3.0], [2.5, 2.5]])
def test_a_repair_by_one_or_two_pixels_is_the_smallest_also_where_it_is_found_greedily(strong):
    effects = torch.zeros(3, 15)
    effects[1, : len(strong)] = torch.tensor(strong)  # class 0 leads by 2 without them
    repair = smallest_repair(play(effects))
    assert len(repair.pixels) == len(strong)
    assert repair.exact


def test_examining_reports_progress_and_can_be_stopped():
    reversals = random_game(5, 2)
    case, told = reversals.case, []
    found = examine(
        case.network, case.image, case.adversarial, 0, "shapley", on_progress=lambda *each: told.append(each)
    )
    assert [done for done, *_ in told] == list(range(len(told)))
    assert all(total == len(told) for _, total, _ in told)
    assert found.evidence.method == "shapley"
    attention = {"attention_rollout", "gradient_attention"}
    assert set(found.not_valid) == {"grad_cam", "guided_grad_cam", "deep_lift"} | attention
    assert set(found.others) == {*METHODS} - {"shapley", *found.not_valid}
    kind = found.evidence.pixels[0].kind
    assert found.agreeing(0) == [votes[0] for votes in found.others.values()].count(kind)
    alone = examine(case.network, case.image, case.adversarial, 0, "shapley", others=())
    assert alone.others == {}
    assert alone.deletion == found.deletion

    def stop(*_args) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        examine(case.network, case.image, case.adversarial, 0, "shapley", on_progress=stop)
    with pytest.raises(ValueError, match="nothing to examine"):
        examine(case.network, case.image, case.image, 0)
    with pytest.raises(ValueError, match="one that is valid for this network; got 'grad_cam'"):
        examine(case.network, case.image, case.adversarial, 0, "grad_cam")
    with pytest.raises(ValueError, match="others must be methods; guess is none"):
        examine(case.network, case.image, case.adversarial, 0, others=("guess", "saliency"))
