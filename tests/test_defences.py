"""Defences: a contract for every entry of the registry, what each filter does, and what a defence is worth."""

import csv
import dataclasses
import math
from dataclasses import dataclass

import pytest
import test_driver
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from modes import NoDoublePrecision
from torch import nn

from explorer import RandomSearch, SparseAttack, explain_pixels, load_classifier
from explorer.__main__ import main
from explorer.attacks import ATTACKS
from explorer.commands.defend import named_defence
from explorer.defences import DEFENCES, Defence, Defended, look
from explorer.defences.coding import BitDepth
from explorer.defences.moving import Resize, Shift
from explorer.defences.smoothing import Gaussian, Median
from explorer.grid import to_grid
from explorer.knobs import knob, knobs
from explorer.numerics import Share
from explorer.samples import gallery
from explorer.studies.resistance import NONE, resistance

SIZE = 12


def pictures(n: int = 3, seed: int = 0, size: tuple[int, int] = (SIZE, SIZE)) -> torch.Tensor:
    return to_grid(torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(seed)))


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-resnet", device="cpu")


@pytest.fixture(scope="module")
def signs():
    samples = gallery()[:54:9]
    return torch.stack([each.image for each in samples]), torch.tensor([each.label for each in samples])


@pytest.mark.parametrize("name", DEFENCES)
class TestContract:
    """What every defence of the registry keeps."""

    @given(st.integers(0, 2**31), st.integers(1, 3), st.tuples(st.integers(1, 20), st.integers(1, 20)))
    @settings(max_examples=20, deadline=None)
    def test_the_same_shape_on_the_grid_every_time(self, name, seed, n, size):
        images = pictures(n, seed, size)
        kept = images.clone()
        found = DEFENCES[name]()(images)
        assert found.shape == images.shape
        assert found.dtype == images.dtype
        assert torch.equal(to_grid(found), found)
        assert torch.equal(found, DEFENCES[name]()(images))
        assert torch.equal(images, kept)

    def test_each_picture_by_itself(self, name):
        images = pictures()
        together = DEFENCES[name]()(images)
        assert torch.equal(together, torch.cat([DEFENCES[name]()(each[None]) for each in images]))

    def test_it_changes_pictures_of_noise_and_no_even_one(self, name):
        assert not torch.equal(DEFENCES[name]()(pictures()), pictures())
        even = torch.ones(1, 3, SIZE, SIZE)
        assert torch.equal(DEFENCES[name]()(even), even)

    def test_single_precision_and_double(self, name):
        with NoDoublePrecision():
            found = DEFENCES[name]()(pictures())
        assert DEFENCES[name]()(pictures().double()).dtype == torch.float64
        assert found.dtype == torch.float32

    def test_it_says_what_it_is_and_its_knobs_have_limits(self, name):
        kind = DEFENCES[name]
        assert kind.title
        assert kind.source
        assert kind.summary.endswith(".")
        assert knobs(kind)
        for each in knobs(kind).values():
            assert each.help.endswith(".")
            with pytest.raises(ValueError, match=f"{each.name} must lie in"):
                kind(**{each.name: each.low - 1})
            for end in [each.high] if each.open_low else [each.low, each.high]:
                filtered = kind(**{each.name: type(each.default)(end)})(pictures(1))
                assert torch.equal(to_grid(filtered), filtered)

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (torch.zeros(3, 8, 8), r"shape \(b, 3, h, w\); got \(3, 8, 8\)"),
            (torch.zeros(0, 3, 8, 8), "shape"),
            ([1], "got list"),
            (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "floating point"),
            (torch.full((1, 3, 8, 8), 2.0), r"must lie in \[0, 1\]"),
            (torch.full((1, 3, 8, 8), torch.nan), r"must lie in \[0, 1\]"),
        ],
    )
    def test_bad_input_is_one_sentence(self, name, images, message):
        with pytest.raises(ValueError, match=message):
            DEFENCES[name]()(images)

    def test_a_classifier_behind_it_is_one(self, name, clf, signs):
        defended = Defended(clf, DEFENCES[name]())
        assert (defended.class_names, defended.input_size, defended.dataset) == (
            clf.class_names,
            clf.input_size,
            clf.dataset,
        )
        assert defended.device == clf.device
        assert not defended.training
        assert torch.equal(defended(signs[0]), clf(DEFENCES[name]()(signs[0])))
        images = signs[0][:1].clone().requires_grad_()
        logits = defended(images)
        assert torch.equal(logits, defended(signs[0][:1])), "the gradient changes no value"
        (gradient,) = torch.autograd.grad(logits[:, 0].sum(), images)
        assert torch.isfinite(gradient).all()
        assert gradient.any()


def test_a_lonely_pixel_is_gone_where_it_is_voted_away():
    images = torch.zeros(1, 3, SIZE, SIZE)
    images[:, :, 5, 5] = 1
    assert not Median()(images).any()
    assert Shift(rows=2, columns=-1)(images).nonzero()[0].tolist() == [0, 0, 7, 4]
    assert 0 < Gaussian()(images).max() < 0.5
    assert 0 < Resize()(images).max() < 0.5
    assert torch.equal(BitDepth(bits=1)(images * 0.6).unique(), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("defence", [Gaussian(), Shift(rows=2, columns=-3), Resize()])
def test_a_linear_filter_has_its_true_gradient(defence):
    """The derivative of a linear filter is the filter itself."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 2)).requires_grad_(False)
    images = pictures(1).requires_grad_()
    (gradient,) = torch.autograd.grad(Defended(network, defence)(images)[0, 0], images)
    step = torch.zeros_like(images)
    step[0, 1, 4, 6] = 1
    through = defence.filtered(step) - defence.filtered(torch.zeros_like(step))
    expected = (network[1].weight[0] * through.flatten()).sum()
    assert gradient[0, 1, 4, 6].item() == pytest.approx(expected.item(), abs=1e-5)


def test_any_other_filter_is_the_identity_on_the_way_back():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 2)).requires_grad_(False)
    images = pictures(1).requires_grad_()
    (gradient,) = torch.autograd.grad(Defended(network, Median())(images)[0, 0], images)
    assert torch.equal(gradient.flatten(), network[1].weight[0])


def test_an_attack_on_the_whole_fools_the_whole(clf, signs):
    defended = Defended(clf, DEFENCES["jpeg"]())
    result = SparseAttack(steps=40, polish=False)(defended, signs[0][:3], signs[1][:3])
    assert result.succeeded.any()
    assert torch.equal(defended(result.adversarial).argmax(1) != signs[1][:3], result.succeeded)
    found = int(result.succeeded.nonzero()[0])
    evidence = explain_pixels(defended, signs[0][found], result.adversarial[found], int(signs[1][found]), splits=0)
    assert len(evidence.pixels) == result.n_pixels[found]


@pytest.mark.parametrize("defence", ["median", "gaussian"])
@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_takes_a_network_behind_a_defence(name, defence):
    """Also those that look at values beyond the grid's ends on their way."""
    images = test_driver.pictures(2)
    defended = Defended(test_driver.small(), DEFENCES[defence]())
    labels = defended(images).argmax(1)
    result = test_driver.QUICK[name](defended, images, labels)
    with torch.no_grad():
        assert torch.equal(result.succeeded, defended(result.adversarial).argmax(1) != labels)


def test_one_picture_before_and_after(clf, signs):
    seen = look(clf, Median(), signs[0][0])
    assert torch.equal(seen.filtered, Median()(signs[0][:1])[0])
    assert torch.equal(seen.before, signs[0][0])
    assert seen.prediction_before == seen.prediction_filtered == signs[1][0]
    assert torch.allclose(seen.logits_filtered, clf(seen.filtered[None])[0])


@dataclass(frozen=True, kw_only=True)
class Mirror(Defence):
    """Turn left and right around, so often."""

    title = "Mirror"
    summary = "Turns the picture around."
    source = "this test"
    differentiable = True

    times: int = knob(1, "How often.", low=1, high=9, slider=(1, 9))

    def filtered(self, images: torch.Tensor) -> torch.Tensor:
        return images.flip(3) if self.times % 2 else images


class Cropped(Mirror):
    """Returns another size."""

    def filtered(self, images):
        return images[..., 1:]


class Broken(Mirror):
    """Divides by zero."""

    def filtered(self, images):
        return images / 0


def test_a_filter_that_returns_something_else_is_refused():
    with pytest.raises(ValueError, match=r"Mirror must return pictures of shape .*12\); got .*12, 11\)"):
        Cropped()(pictures())
    with pytest.raises(ValueError, match="Mirror must return finite numbers; got NaN or infinity"):
        Broken()(pictures())


def test_a_defence_is_one_entry_and_the_command_finds_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(DEFENCES, "mirror", Mirror)
    out = tmp_path / "new" / "defences.csv"
    few = ["--model", "signs-resnet", "--device", "cpu", "--n", "3", "--steps", "30", "--no-polish", "--out", str(out)]
    options = ["--defences", "mirror,mirror:times=2", "--check", "random:queries=20"]
    assert main(["defend", *few, *options]) == 0
    told = capsys.readouterr().out
    assert "mirror:times=2" in told
    none, mirrored, twice = csv.DictReader(out.read_text().splitlines())
    assert [each["defence"] for each in (none, mirrored, twice)] == [NONE, "mirror", "mirror:times=2"]
    assert none["clean"] == twice["clean"] == "1.0"
    same = [name for name in none if name.startswith(("clean", "survive", "adaptive"))]
    assert [none[name] for name in same] == [twice[name] for name in same], "turned around twice is not at all"
    assert float(none["survive"]) == 1
    assert float(none["clean_low"]) < 0.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--defences", "mirrors"], "There is no defence 'mirrors': median, jpeg"),
        (["--defences", "jpeg:speed=3"], "'speed=3' in 'jpeg:speed=3' is no setting of jpeg: quality= are known"),
        (["--defences", "jpeg:quality=good"], "'good' in 'jpeg:quality=good' is no value for quality"),
        (["--defences", "jpeg:quality=0"], "quality must lie in [1, 100]; got 0"),
        (["--check", "nothing"], "There is no attack 'nothing'"),
        (["--batch", "0"], "--batch must be at least 1"),
        (["--stride", "3"], "--stride"),
    ],
)
def test_bad_options_are_one_sentence(options, says, capsys):
    try:
        code = main(["defend", "--model", "signs-resnet", "--device", "cpu", *options])
    except SystemExit as end:
        code = end.code
    assert code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err.replace("unrecognized arguments: ", "")
    assert len(err.splitlines()) == 1


def test_named_defences_have_their_settings():
    assert named_defence("median:radius=2") == Median(radius=2)
    assert named_defence("shift:rows=-1:columns=0") == Shift(rows=-1, columns=0)


def test_shares_have_wilson_intervals():
    low, high = Share(8, 10).interval
    assert (low, high) == (pytest.approx(0.4901625, abs=1e-6), pytest.approx(0.9433178, abs=1e-6))
    assert Share(0, 0).interval == (0.0, 1.0)
    assert math.isnan(Share(0, 0).value)
    assert Share(5, 5).value == 1


class Corner(nn.Module):
    """Class 1 where the first pixel is bright, and class 0 elsewhere."""

    def forward(self, images):
        light = images[:, :, 0, 0].mean(1)
        return torch.stack([0.5 - light, light - 0.5], 1)


@dataclass(frozen=True, kw_only=True)
class Black(Mirror):
    """Blacks the first pixel out."""

    def filtered(self, images):
        mask = torch.ones_like(images)
        mask[:, :, 0, 0] = 0
        return images * mask


def test_what_a_defence_is_worth_is_counted_by_hand():
    """The filter blacks out the only pixel that counts: dark pictures are safe, and the bright one is always wrong."""
    images, labels = torch.zeros(4, 3, 4, 4), torch.tensor([0, 0, 0, 1])
    images[3] = 1
    none, black = resistance(
        Corner(), images, labels, {"black": Black()}, SparseAttack(steps=20), RandomSearch(queries=60, k=8), batch=3
    )
    assert (none.clean, none.survive, none.adaptive) == (Share(4, 4), Share(4, 4), Share(4, 4))
    assert none.adaptive_pixels == 1
    assert (black.clean, black.survive, black.adaptive) == (Share(3, 4), Share(0, 3), Share(0, 3))
    assert math.isnan(black.adaptive_pixels)
    assert black.gradient_free == Share(0, 3)
    assert not black.masked
    assert dataclasses.replace(black, gradient_free=Share(1, 3)).masked


def test_a_network_that_sees_nothing_behind_it_has_nothing_to_attack():
    images, labels = torch.ones(2, 3, 4, 4), torch.tensor([1, 1])
    _, black = resistance(
        Corner(), images, labels, {"black": Black()}, SparseAttack(steps=5), RandomSearch(queries=5, k=4), batch=2
    )
    assert black.clean == Share(0, 2)
    assert black.adaptive == black.survive == Share(0, 0)
