"""What the CPU computes, another device does as well: of a picture, of the settings around it, of a command's table.

Not to the last bit, as on a CPU attacks have kernels of their own. See other_device.py; `pytest --other-device` runs
everything else there.
"""

from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest
import torch
from other_device import NAME, other_device

from explorer import SparseAttack, explain_pixels, load_classifier
from explorer.__main__ import main
from explorer.evidence import methods_for
from explorer.pipeline import Asked, Member, advise, explore, explore_together, respond
from explorer.samples import find_sample

QUICK = SparseAttack(steps=20, swaps=2)
SHORT = ["--steps", "10", "--no-polish"]
COMMANDS = {
    "sweep": ["sweep", "--tau", "0.05,0.1", "--n", "2", "--pictures", "gallery", *SHORT],
    "evidence": ["evidence", "--n", "2", "--methods", "integrated_gradients", *SHORT],
    "bench": ["bench", "--attacks", "sparse-10,greedy-5,random:queries=30", "--n", "2", "--repeats", "0"],
}
CLOSE = 3  # pixels


def on(device: str):
    return other_device() if device == NAME else nullcontext()


@pytest.fixture(scope="module", params=["signs-cnn", "signs-vit"])
def both(request):
    """The network here and there."""
    with other_device():
        there = load_classifier(request.param, device=NAME)
    return load_classifier(request.param, device="cpu"), there


@pytest.fixture(scope="module")
def image():
    return find_sample("stop-1").image


def test_the_stand_in_fails_where_a_gpu_would():
    with other_device():
        there = torch.ones(2, device=NAME)
        assert (there + 1).device.type == NAME
        assert (there + torch.tensor(1.0)).tolist() == [2, 2], "a single number may lie anywhere"
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(2)
        assert (there.cpu() + torch.ones(2)).tolist() == [2, 2]


def test_a_picture_has_its_story_pixels_and_labels(both, image):
    here, there = both
    expected = explore(here, image, QUICK)
    with other_device():
        found = explore(there, image, QUICK)
    assert found.succeeded == expected.succeeded
    assert found.n_pixels == pytest.approx(expected.n_pixels, abs=CLOSE)
    assert len(found.evidence.pixels) == found.n_pixels


def test_several_are_attacked_together(both, image):
    here, there = both
    expected = explore(here, image, QUICK, splits=0)
    members = [Member(Asked(image, each)) for each in (QUICK, replace(QUICK, lam=0.5))]
    with other_device():
        (_, first), (_, second) = explore_together(there, members, splits=0)
    assert first.n_pixels == pytest.approx(expected.n_pixels, abs=CLOSE)
    assert first.succeeded
    assert second.succeeded


def test_settings_around_it_answer(both, image):
    here, there = both
    expected = respond(here, image, QUICK, ("lam",))["lam"]
    with other_device():
        found = respond(there, image, QUICK, ("lam",))["lam"]
    assert [(each.value, each.fooled) for each in found] == [(each.value, each.fooled) for each in expected]


def test_what_goes_badly_gets_its_advice(both, image):
    here, there = both
    attack = replace(QUICK, lam=10.0, prune=False, polish=False)
    expected = explore(here, image, attack, splits=0)
    assert expected.findings
    given = advise(here, image, attack, expected.findings)
    with other_device():
        found = advise(there, image, attack, expected.findings)
    assert [each.finding for each in found] == [each.finding for each in given]


def test_every_method_labels_it(both, image):
    here, there = both
    attacked = explore(here, image, QUICK, splits=0).adversarial
    methods = [name for name, problem in methods_for(here, image).items() if problem is None]
    label = int(here(image[None]).argmax())
    for method in methods:
        expected = explain_pixels(here, image, attacked, label, method, splits=0)
        with other_device():
            found = explain_pixels(there, image.to(NAME), attacked.to(NAME), label, method, splits=0)
        for one, other in zip(found.pixels, expected.pixels, strict=True):
            assert (one.row, one.col, one.kind) == (other.row, other.col, other.kind)
            assert (one.obscuring, one.leading) == pytest.approx((other.obscuring, other.leading), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_table(name, tmp_path):
    tables = []
    for device in ("cpu", NAME):
        out = tmp_path / f"{device}.csv"
        with on(device):
            assert main([*COMMANDS[name], "--model", "signs-resnet", "--device", device, "--out", str(out)]) == 0
        tables.append(pd.read_csv(out))
    here, there = tables
    assert list(there) == list(here)
    assert len(there) == len(here)
    for column in {"success", "succeeded", "fooled", "method"} & {*here}:
        assert there[column].tolist() == here[column].tolist()
