"""Evidence: exact on a network whose shares are known, agreement figures worked out by hand, and no trace left."""

import math

import pytest
import torch

from explorer import SparseAttack, explain_pixels, load_classifier
from explorer.evidence import METHODS
from explorer.evidence.agreement import cohens_kappa, spearmans_rho
from explorer.samples import gallery


class Linear(torch.nn.Module):
    """Three classes, logits W x: every share of a change is W_k times the change."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(3, 3 * 6 * 6, generator=torch.Generator().manual_seed(0)))

    def forward(self, images):
        return images.flatten(1) @ self.weight.T


@pytest.fixture(scope="module")
def linear_case():
    network = Linear()
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(3, 6, 6, generator=generator).mul(255).round() / 255
    adversarial = image.clone()
    for row, col in ((0, 1), (2, 3), (5, 5), (4, 0)):
        adversarial[:, row, col] = 1 - image[:, row, col]
    label = network(image[None]).argmax().item()
    return network, image, adversarial, label


@pytest.fixture(scope="module")
def sign():
    network = load_classifier("signs-resnet", device="cpu")
    sample = gallery()[9]
    result = SparseAttack(steps=60)(network, sample.image[None], torch.tensor([sample.label]))
    assert result.succeeded.all()
    return network, sample.image, result.adversarial[0], sample.label


OF_CHANGE = [name for name, method in METHODS.items() if method.unit == "logits"]


@pytest.mark.parametrize("method", OF_CHANGE)
class TestContract:
    """What every method that shares out the change keeps."""

    def test_exact_on_a_linear_network(self, method, linear_case):
        network, image, adversarial, label = linear_case
        evidence = explain_pixels(network, image, adversarial, label, method)
        weight = network.weight.detach()
        weight = (weight - weight.mean(0)).view(3, 3, 6, 6)
        change = adversarial - image
        wrong = evidence.adversarial_label
        assert wrong != label
        assert [(p.row, p.col) for p in evidence.pixels] == [(0, 1), (2, 3), (4, 0), (5, 5)]
        for p in evidence.pixels:
            share = (weight[:, :, p.row, p.col] * change[:, p.row, p.col]).sum(1)
            assert p.obscuring == pytest.approx(-share[label].item(), abs=1e-4)
            assert p.leading == pytest.approx(share[wrong].item(), abs=1e-4)
            assert p.reversal_obscuring == pytest.approx(p.obscuring, abs=1e-4)
            assert p.reversal_leading == pytest.approx(p.leading, abs=1e-4)
            assert p.kind == ("obscuring" if p.obscuring >= p.leading else "leading")
            assert p.before == tuple((image[:, p.row, p.col] * 255).round().int().tolist())
            assert p.after == tuple((adversarial[:, p.row, p.col] * 255).round().int().tolist())
        assert evidence.checks.agreement == 1
        assert evidence.checks.additivity == pytest.approx(0, abs=1e-4)
        if METHODS[method].complete:
            assert evidence.checks.completeness_error == pytest.approx(0, abs=1e-3)
        else:
            assert math.isnan(evidence.checks.completeness_error)

    def test_nothing_changed_is_no_pixel(self, method, linear_case):
        network, image, _, label = linear_case
        evidence = explain_pixels(network, image, image, label, method)
        assert evidence.pixels == ()
        assert math.isnan(evidence.checks.agreement)


def test_integrated_gradients_share_out_the_whole_change(sign):
    evidence = explain_pixels(*sign)
    assert evidence.method == "integrated_gradients"
    assert evidence.checks.completeness_error < 0.02
    assert evidence.count("obscuring") + evidence.count("leading") == len(evidence.pixels)


def test_weak_pixels_are_marked():
    """Two pixels move the scores, one hardly does: only that one is weak."""
    weight = torch.zeros(2, 3, 2, 2)
    weight[0, :, 0, 0], weight[1, :, 1, 1], weight[1, :, 0, 1] = -3.0, 2.0, 0.01

    def network(images):
        return torch.einsum("bchw,kchw->bk", images, weight.to(images)) * torch.tensor([1.0, 1.0])

    image, adversarial = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    adversarial[:, 1, 0] = 0
    pixels = {(p.row, p.col): p for p in explain_pixels(network, image, adversarial, 0).pixels}
    assert pixels[0, 1].weak
    # with two classes Z_y = -Z_t, so no pixel can tell obscuring from leading: all are weak, and that is honest
    assert pixels[0, 0].weak


@pytest.mark.parametrize(
    ("one", "other", "kappa"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0),
        ([1, 1, 0, 0], [0, 0, 1, 1], -1.0),
        ([1, 1, 0, 0], [1, 0, 1, 0], 0.0),
        ([1, 1, 1, 0], [1, 1, 0, 0], 0.5),  # observed 3/4, chance 1/2
    ],
)
def test_cohens_kappa_by_hand(one, other, kappa):
    assert cohens_kappa(torch.tensor(one, dtype=torch.bool), torch.tensor(other, dtype=torch.bool)) == (
        pytest.approx(kappa)
    )


def test_agreement_is_undefined_where_the_question_makes_no_sense():
    one_kind = torch.tensor([True, True])
    assert math.isnan(cohens_kappa(one_kind, one_kind))
    assert math.isnan(spearmans_rho(torch.ones(2), torch.ones(2)))
    assert math.isnan(spearmans_rho(torch.ones(4), torch.arange(4.0)))
    assert spearmans_rho(torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([2.0, 4.0, 8.0, 16.0])) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "tea leaves"}, "method must be one of integrated_gradients.*got 'tea leaves'"),
        ({"method": "grad_cam"}, "Grad-CAM is not valid for this network: it needs a convolutional network"),
        ({"splits": -1}, "splits must be at least 0; got -1"),
        ({"label": 7}, r"label must lie in 0\.\.2; got 7"),
        ({"adversarial": torch.zeros(3, 5, 6)}, r"one shape \(3, h, w\); got adversarial \(3, 5, 6\)"),
        ({"image": torch.full((3, 6, 6), 2.0)}, "image must lie in"),
        ({"adversarial": torch.full((3, 6, 6), torch.nan)}, "adversarial must lie in"),
    ],
)
def test_bad_input_is_one_sentence(change, message, linear_case):
    network, image, adversarial, label = linear_case
    good = {"image": image, "adversarial": adversarial, "label": label}
    with pytest.raises(ValueError, match=message):
        explain_pixels(network, **good | change)


def test_of_many_pixels_those_that_move_their_part_are_not_weak():
    """Each of thirty moves less than a twentieth of the whole; one moves hardly anything."""

    def network(images):
        light = images.sum((1, 2, 3))
        return torch.stack([50 - light, 0.2 * light, -10 + 0 * light], 1)

    image, adversarial = torch.zeros(3, 6, 5), torch.ones(3, 6, 5)
    adversarial[:, 2, 3] = 1 / 255
    pixels = explain_pixels(network, image, adversarial, 0, "shapley").pixels
    assert len(pixels) == 30
    assert [(pixel.row, pixel.col) for pixel in pixels if pixel.weak] == [(2, 3)]
