"""SparseFool, PGD0 and Sparse-PGD against networks whose answer is known, and the search for the smallest k."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_attacks import SIZE, count_units, fewest, linear_case
from torch import nn

from explorer.attacks import ATTACKS, PGD0, SparseFool, SparsePGD
from explorer.attacks.attempts import SEARCH, Attempts, largest
from explorer.attacks.problem import Problem
from explorer.grid import changed_pixels, to_grid

WITH_K = {"pgd0": PGD0(steps=20, restarts=2), "sparse-pgd": SparsePGD(steps=60)}


def problem_of(images: torch.Tensor, **changes) -> Problem:
    whole = {"low": torch.zeros_like(images), "high": torch.ones_like(images)}
    labels = torch.zeros(len(images), dtype=torch.int64)
    return Problem(lambda images: images.flatten(1), images, labels, None, **whole | changes)


def steepest(network, images, unit: str, beyond: float) -> list[int]:
    """How many units the published solver moves: by the steepest slope, each to the end of its box."""
    weight = network.weight.detach()
    room = torch.where(weight > 0, images, 1 - images)
    gain, slope = weight.abs() * room, weight.abs().expand_as(images)
    if unit == "pixel":
        gain, slope = gain.sum(1), slope.sum(1)
    counts = []
    for gains, slopes, margin in zip(gain.flatten(1), slope.flatten(1), network(images)[:, 1].tolist(), strict=True):
        left, count = margin * beyond, 0
        for place in slopes.argsort(descending=True):
            if left <= 0:
                break
            left, count = left - gains[place].item(), count + (gains[place].item() > 0)
        counts.append(count)
    return counts


@pytest.mark.parametrize("unit", ["pixel", "entry"])
@pytest.mark.parametrize("lam", [1.0, 3.0])
def test_sparsefool_crosses_a_plane_by_its_steepest_values(unit, lam):
    """The border of a linear network is the plane, so one is enough, and lambda says how many values it takes."""
    for seed in range(3):
        network, images, labels = linear_case(seed)
        attack = SparseFool(unit=unit, lam=lam)
        result = attack(network, images, labels)
        found = count_units(images, result.adversarial, unit)
        assert result.succeeded.all()
        assert len(result.trace.margin) <= 3, "DeepFool is there at once"
        expected = torch.tensor(steepest(network, images, unit, lam * (1 + attack.overshoot)))
        assert ((found - expected).abs() <= 1).all(), f"{found.tolist()} against {expected.tolist()}"
        assert (found >= fewest(network, images, unit)).all()


def test_sparsefool_goes_to_the_nearest_class_unless_it_is_given_one():
    class Three(nn.Module):
        """Class 1 is near, class 2 is far; each by a value of its own."""

        def forward(self, images):
            flat = images.flatten(1)
            return torch.stack([0 * flat[:, 0] + 1, 4 * flat[:, 0], flat[:, 1] * 1.5 - flat[:, 0]], 1)

    images, labels = torch.zeros(1, 3, 4, 4), torch.tensor([0])
    near = SparseFool()(Three(), images, labels)
    assert near.adversarial_labels.tolist() == [1]
    assert near.n_entries.tolist() == [1]
    far = SparseFool()(Three(), images, labels, torch.tensor([2]))
    assert far.adversarial_labels.tolist() == [2]


@pytest.mark.parametrize("unit", ["pixel", "entry"])
@pytest.mark.parametrize("seed", range(3))
def test_pgd0_finds_the_fewest_of_a_linear_network(unit, seed):
    """Its steps end at the corners of the box, and where they are very long the projection keeps what gains most."""
    network, images, labels = linear_case(seed)
    attack = PGD0(unit=unit, steps=5, restarts=1, smallest=True, step_size=1e5)
    result = attack(network, images, labels)
    assert torch.equal(count_units(images, result.adversarial, unit), fewest(network, images, unit))
    fewer = dataclasses.replace(attack, smallest=False, k=int(fewest(network, images, unit).min()) - 1)
    assert not fewer(network, images, labels).succeeded.any()


@pytest.mark.parametrize("backward", ["full", "sparse", "both"])
def test_sparse_pgd_is_near_the_fewest_of_a_linear_network(backward):
    for seed in range(2):
        network, images, labels = linear_case(seed)
        result = SparsePGD(backward=backward, steps=100, smallest=True)(network, images, labels)
        best, found = fewest(network, images, "pixel"), result.n_pixels
        assert result.succeeded.all()
        assert (found >= best).all()
        assert found.sum() <= 1.5 * best.sum(), f"{found.tolist()} against {best.tolist()}"


@pytest.mark.parametrize("unit", ["pixel", "entry"])
@pytest.mark.parametrize("name", WITH_K)
def test_never_more_than_k(name, unit):
    network, images, labels = linear_case(0, needed=8.0)
    seen = []
    attack = dataclasses.replace(WITH_K[name], k=3, unit=unit)
    attack(network, images, labels, on_step=lambda step: seen.append(step.current))
    assert max(count_units(images, each, unit).max() for each in seen) <= 3
    limited = dataclasses.replace(attack, k=9, max_pixels=2, smallest=True)(network, images, labels)
    assert (count_units(images, limited.adversarial, unit) <= 2).all()


@pytest.mark.parametrize("name", ["sparsefool", *WITH_K])
def test_a_batch_is_its_single_runs(name):
    network, images, labels = linear_case(1)
    attack = WITH_K.get(name, SparseFool())
    if name in WITH_K:
        attack = dataclasses.replace(attack, smallest=True)
    together = attack(network, images, labels).adversarial
    for number in range(len(images)):
        single = attack(network, images[number : number + 1], labels[:1]).adversarial
        assert torch.equal(single[0], together[number])


@pytest.mark.parametrize("name", WITH_K)
def test_another_seed_starts_elsewhere(name):
    network, images, labels = linear_case(0, needed=50.0)
    first = [
        dataclasses.replace(WITH_K[name], seed=seed)(network, images, labels, on_step=lambda _: True).trace.margin
        for seed in (0, 0, 1)
    ]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_a_mask_that_is_stuck_is_drawn_anew():
    class Sure(nn.Module):
        """Its gradient says nothing of where."""

        def forward(self, images):
            return torch.stack([images.flatten(1).sum(1) * 0 + 5, images.flatten(1).sum(1) * 0], 1)

    images, seen = torch.full((1, 3, SIZE, SIZE), 0.5), []
    attack = SparsePGD(k=3, steps=12, backward="full", patience=4)
    attack(Sure(), images, torch.tensor([0]), on_step=lambda step: seen.append(step.current))
    places = [tuple(changed_pixels(images, each).flatten().nonzero()[:, 0].tolist()) for each in seen]
    assert [len({*places[begin : begin + 4]}) for begin in (0, 4, 8)] == [1, 1, 1]
    assert len({*places}) == 3


def test_both_is_full_and_then_sparse():
    """The second half of an attempt is what the projected gradient alone does from a start of its own."""
    network, images, labels = linear_case(0, needed=12.0)
    margins = {
        backward: SparsePGD(k=2, steps=15, backward=backward)(network, images, labels).trace.margin
        for backward in ("full", "sparse", "both")
    }
    assert torch.equal(margins["both"][:15], margins["full"])
    assert len(margins["both"]) == 30
    assert not torch.equal(margins["full"], margins["sparse"])


@given(st.integers(1, 60), st.integers(1, 30), st.integers(1, 4))
@settings(deadline=None)
def test_the_search_ends_at_the_smallest_k(needed, first, length):
    """An attack that fools at its last step, exactly from `needed` units on."""
    images = torch.zeros(1, 3, 8, 8)
    problem, attempts = problem_of(images), Attempts(length, smallest=True)
    state, found = attempts.start(problem, first), []
    for _ in range(attempts.rounds):
        k = int(state["k"])
        candidate = images.clone()
        candidate.flatten(2)[:, :, :k] = 1
        fools = k >= needed and int(state["age"]) == length - 1
        found += [k] * fools
        state = attempts.after(problem, state, candidate, torch.tensor([-1.0 if fools else 1.0]))
        if state["finished"]:
            break
    assert state["finished"]
    assert min(found) == needed
    assert attempts.rounds == SEARCH * length


def test_the_search_gives_up_where_all_units_do_not_fool():
    problem, attempts = problem_of(torch.zeros(1, 3, 4, 4), max_units=5), Attempts(2, smallest=True)
    state, ks = attempts.start(problem, 2), []
    while not state["finished"]:
        ks.append(int(state["k"]))
        state = attempts.after(problem, state, problem.images, torch.ones(1))
    assert ks == [2, 2, 4, 4, 5, 5]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 30), st.booleans())
@settings(deadline=None)
def test_the_largest_are_exactly_k_and_the_first_of_equals(scores, k, peeks):
    k = min(k, len(scores))
    both = torch.tensor([scores, scores[::-1]], dtype=torch.float32)
    problem = dataclasses.replace(problem_of(torch.zeros(1, 3, 4, 4)), peeks=peeks)
    mask = largest(problem, both, torch.tensor([k, 1]))
    expected = sorted(range(len(scores)), key=lambda place: -scores[place])[:k]
    assert mask[0].nonzero()[:, 0].tolist() == sorted(expected)
    assert mask[1].sum() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseFool(lam=0.5), r"lam must lie in \[1, 1000\]; got 0.5"),
        (lambda: SparseFool(plane="flat"), "plane must be one of 'border', 'pushed'"),
        (lambda: PGD0(k=0), "k must lie in"),
        (lambda: PGD0(k=2.5), "k must be a whole number"),
        (lambda: SparsePGD(backward="union"), "backward must be one of 'both', 'full', 'sparse'"),
        (lambda: SparsePGD(smallest="yes"), "smallest must be True or False"),
    ],
)
def test_bad_settings_are_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["sparsefool", *WITH_K])
def test_nothing_is_refined_unless_asked(name):
    network, images, labels = linear_case(0)
    assert list(ATTACKS[name]()(network, images, labels).stages) == ["optimised"]
    refined = ATTACKS[name](prune=True, polish=True)(network, images, labels)
    assert [*refined.stages] == ["optimised", "pruned", "polished"]
    assert torch.equal(to_grid(refined.adversarial), refined.adversarial)
