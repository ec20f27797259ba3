"""Trials of the labels: what they count is what is there, and what is wrong on purpose is really wrong."""

import math

import numpy as np
import pytest
import torch

from explorer import SparseAttack, load_classifier
from explorer.evidence import explain_pixels, trust
from explorer.signs import GroundTruth
from explorer.studies.trials import (
    CONTROLS,
    Hits,
    Signs,
    Trial,
    hits,
    localisation,
    pooled_p,
    random_twin,
    summary,
    try_methods,
    try_signs,
)
from explorer.types import Checks, Evidence, PixelLabel


@pytest.fixture(scope="module")
def attacked():
    network = load_classifier("signs-cnn", device="cpu")
    signs = Signs.draw(network, 3, 1_000_000_000)
    result = SparseAttack(steps=25, max_pixels=8)(network, signs.images, signs.labels)
    return network, signs, result


def test_every_method_and_control_has_its_trial(attacked):
    network, signs, result = attacked
    methods, told = ["gradient_x_change", "shapley"], []
    found = try_methods(
        network, signs.images, result.adversarial, signs.labels, methods, on_progress=lambda: told.append(1)
    )
    assert list(found) == methods
    assert len(told) == 3
    for name, trials in found.items():
        assert [trial.picture for trial in trials] == [0, 1, 2]
        for trial in trials:
            i = trial.picture
            alone = explain_pixels(network, signs.images[i], result.adversarial[i], int(signs.labels[i]), name)
            assert [pixel.kind for pixel in trial.evidence.pixels] == [pixel.kind for pixel in alone.pixels]
            numbers = [[(pixel.obscuring, pixel.leading) for pixel in each.pixels] for each in (trial.evidence, alone)]
            assert torch.allclose(*map(torch.tensor, numbers), atol=1e-5)
            assert trial.colour == trust(alone).colour
        assert set(trials[2].controls) == set(CONTROLS)
        assert CONTROLS[2] not in trials[0].controls, "there is no picture before the first"
    row = summary("shapley", found["shapley"])
    assert row["pictures"] == 3
    assert row["pixels"] == sum(len(trial.evidence.pixels) for trial in found["shapley"])
    assert row["completeness error, median"] < 1e-3
    assert 0 <= row["agreement"] <= 1
    hide = [pixel.kind == "obscuring" for trial in found["shapley"] for pixel in trial.evidence.pixels]
    assert row["obscuring"] == pytest.approx(sum(hide) / len(hide))
    assert row["obscuring, from"] <= row["obscuring"] <= row["to"]
    with pytest.raises(ValueError, match="tea is not valid for this network; valid are integrated_gradients"):
        try_methods(network, signs.images, result.adversarial, signs.labels, ["tea"])


def test_a_random_twin_has_the_same_weights_elsewhere(attacked):
    network, signs, _ = attacked
    before = [weight.clone() for weight in network.parameters()]
    twin = random_twin(network)
    for weight, kept, other in zip(network.parameters(), before, twin.parameters(), strict=True):
        assert torch.equal(weight, kept)
        assert torch.equal(weight.flatten().sort().values, other.flatten().sort().values)
    assert not torch.allclose(twin(signs.images), network(signs.images))


def evidence(kinds, places) -> Evidence:
    pixels = [
        PixelLabel(row, col, (0, 0, 0), (9, 9, 9), 1.0, 0.0, kind, False, 1.0, 0.0, kind)
        for kind, (row, col) in zip(kinds, places, strict=True)
    ]
    return Evidence(tuple(pixels), Checks(*[math.nan] * 7), "shapley", 0, 1)


def masks() -> GroundTruth:
    true, wrong, signs = (np.zeros((10, 10), bool) for _ in range(3))
    true[1, 1:3], wrong[6, 6:8], signs[:8, :8] = True, True, True
    return GroundTruth(true, wrong, np.zeros_like(true), signs)


def test_hits_are_counted_by_kind():
    kinds = ["obscuring", "obscuring", "leading", "leading", "leading"]
    found = hits(evidence(kinds, [(1, 1), (9, 9), (6, 7), (1, 2), (4, 4)]), masks(), tolerance=0)
    assert found == Hits(2, 1, 3, 1, 2 / 64, 2 / 64, told=3, told_right=2)
    beside = hits(evidence(["obscuring"], [(2, 3)]), masks(), tolerance=1)
    assert (beside.obscuring_hits, beside.told_right) == (1, 1)
    assert beside.true_area == 12 / 64
    assert hits(evidence(["obscuring"], [(2, 3)]), masks(), tolerance=0).obscuring_hits == 0


def test_rates_have_an_interval_that_holds_them():
    found = [Hits(4, i % 3, 2, i % 2, 0.1, 0.2, 3, i % 4) for i in range(30)]
    rates = localisation(found)
    assert rates["obscuring_on_true"].value == pytest.approx(30 / 120)
    assert rates["obscuring_chance"].value == pytest.approx(0.1)
    assert rates["obscuring_gain"].value == pytest.approx(0.15)
    assert rates["leading_chance"].value == pytest.approx(0.2)
    for rate in rates.values():
        assert rate.low - 1e-9 <= rate.value <= rate.high + 1e-9
    assert math.isnan(localisation([Hits(1, 1, 0, 0, 0.1, 0.1, 0, 0)])["leading_on_wrong"].value)


def test_pooled_p_is_small_only_for_what_stands_out():
    def trial(d: float) -> Trial:
        checks = Checks(*[math.nan] * 5, dissociation=d, dissociation_p=0.2)
        return Trial(0, Evidence((), checks, "shapley", 0, 1), (-1.0, -0.5, 0.0, 0.5, 1.0), {})

    assert pooled_p([trial(1.0)] * 8) < 0.001
    assert pooled_p([trial(0.0)] * 8) > 0.3
    assert math.isnan(pooled_p([]))


def test_signs_are_tried_with_the_scene_drawn_as_the_wrong_one(attacked):
    network, signs, _ = attacked
    told = []
    trials = try_signs(network, SparseAttack(steps=25), signs, "gradient_x_change", told.append)
    assert told == [0, 1, 2]
    assert trials
    for trial in trials:
        assert trial.other.shape == trial.image.shape
        assert not torch.equal(trial.other, trial.image)
        assert trial.evidence.adversarial_label != trial.evidence.label
        differs = (trial.other - trial.image).abs().amax(0).numpy() > 0.3
        known = trial.truth.only_true | trial.truth.only_wrong | trial.truth.both
        assert (differs & known).sum() > 0.8 * differs.sum()
