"""Training against sparse attacks: its adversaries, its loss, its soft labels, and how its success is measured."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.attacks import Attack
from explorer.classifiers import load_classifier
from explorer.grid import changed_pixels, to_grid
from explorer.training import evaluation as evaluations
from explorer.training import measure_sparse
from explorer.training.pictures import Pictures
from explorer.training.sparse_adversary import MOMENTUM, softened, sparse_adversary, trades


@pytest.fixture(scope="module")
def signs() -> tuple[Tensor, Tensor]:
    data = Pictures.of("signs", train=False, n=36)
    return to_grid(data.images.float() / 255), data.labels


def test_an_adversary_changes_so_many_pixels_and_stays_a_picture(signs):
    network, (images, labels) = load_classifier("signs-resnet", "cpu"), signs
    for k in (1, 30, 5000):  # the last: more than there are
        adversary = sparse_adversary(network, images, labels, k, torch.Generator().manual_seed(0))
        changed = changed_pixels(images, adversary).flatten(1).sum(1)
        assert changed.max() <= min(k, 64 * 64)
        assert changed.min() >= 0.9 * min(k, 64 * 64)  # a draw or a step may end where it began
        assert torch.equal(to_grid(adversary), adversary)
        assert 0 <= adversary.min() <= adversary.max() <= 1


def test_an_adversary_is_worse_than_noise_and_repeatable(signs):
    network, (images, labels) = load_classifier("signs-resnet", "cpu"), signs

    def loss(of: Tensor) -> float:
        with torch.no_grad():
            return F.cross_entropy(network(of), labels).item()

    first, again, other = (
        sparse_adversary(network, images, labels, 30, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    blind = sparse_adversary(lambda x: 0 * x.flatten(1)[:, :18], images, labels, 30, torch.Generator().manual_seed(0))
    assert loss(images) < loss(blind) < loss(first)  # without a gradient it stays the noise that it begins with


def test_trades_is_the_published_formula():
    generator = torch.Generator().manual_seed(0)
    clean, attacked = (3 * torch.randn(5, 4, generator=generator).double() for _ in range(2))
    targets = torch.rand(5, 4, generator=generator).double()
    targets /= targets.sum(1, keepdim=True)
    by_hand = 0.0
    for z, w, t in zip(clean.tolist(), attacked.tolist(), targets.tolist(), strict=True):
        p = [math.exp(each) / sum(map(math.exp, z)) for each in z]
        q = [math.exp(each) / sum(map(math.exp, w)) for each in w]
        entropy = -sum(each * math.log(of) for each, of in zip(t, p, strict=True))
        divergence = sum(of * math.log(of / other) for of, other in zip(p, q, strict=True))
        by_hand += (entropy + 6 * divergence) / 7 / 5
    assert trades(clean, attacked, targets, 6).item() == pytest.approx(by_hand, rel=1e-9)
    assert trades(clean, clean, targets, 6) == pytest.approx(F.cross_entropy(clean, targets).item() / 7)


def test_soft_labels_go_to_what_the_network_says_and_stay_distributions():
    targets, logits = F.one_hot(torch.tensor([0, 2]), 3).float(), torch.tensor([[0.0, 0, 0], [0, 5, 0]])
    for step in range(1, 60):
        targets = softened(targets, logits)
        torch.testing.assert_close(targets.sum(1), torch.ones(2))
        assert targets[0, 0] == pytest.approx(1 / 3 + 2 / 3 * MOMENTUM**step, abs=1e-5)
    torch.testing.assert_close(targets, logits.softmax(1), atol=0.01, rtol=0)


class Bright(nn.Module):
    """Class 0 where the mean is above a half. Of 64 pixels of 0.6 all have to go to 0 that 11 are: 1.8 x 11 > 19.2."""

    def forward(self, images: Tensor) -> Tensor:
        excess = (images - 0.5).flatten(1).sum(1)
        return torch.stack([excess, -excess], dim=1)


@pytest.mark.parametrize(("k", "right"), [(10, 1.0), (11, 0.0)])
def test_accuracy_under_sparse_attacks_is_that_of_the_worst_case(k, right):
    pictures = Pictures(torch.full((6, 3, 8, 8), 153, dtype=torch.uint8), torch.tensor([0, 0, 0, 0, 1, 1]))
    measured = measure_sparse(Bright(), pictures, k, batch=4)
    assert measured.n == 6
    assert measured.pixels == k
    assert measured.after["none"] == pytest.approx(4 / 6)  # two are seen as another class from the start
    assert measured.accuracy == pytest.approx(right * 4 / 6)
    assert f"under sparse attacks with {k} pixels" in str(measured)


def test_each_attack_sees_what_those_before_it_left(monkeypatch):
    seen = []

    class Fools:
        """Fools pictures of this brightness, with so many pixels."""

        def __init__(self, level: int, n_pixels: int) -> None:
            self.level, self.n_pixels = level, n_pixels

        def __call__(self, network, images, labels):
            levels = (images[:, 0, 0, 0] * 255).round()
            seen.append(levels.tolist())
            self.succeeded = levels == self.level
            return self

    attacks = {"a": Fools(200, 2), "b": Fools(210, 3), "c": Fools(220, 1)}
    monkeypatch.setattr(evaluations, "sparse_attacks", lambda k: attacks)
    levels = torch.tensor([200, 210, 220, 230, 10], dtype=torch.uint8)
    pictures = Pictures(levels.view(5, 1, 1, 1).expand(5, 3, 8, 8), torch.zeros(5, dtype=torch.int64))
    measured = measure_sparse(Bright(), pictures, 2)
    assert seen == [[200, 210, 220, 230], [210, 220, 230], [210, 220, 230]]  # three pixels are one too many
    assert measured.after == {"none": 0.8, "a": 0.6, "b": 0.6, "c": 0.4}
    assert measured.accuracy == 0.4


def test_the_union_is_of_attacks_with_and_without_gradients():
    attacks = evaluations.sparse_attacks(7)
    assert all(isinstance(attack, Attack) for attack in attacks.values())
    assert {attack.black_box for attack in attacks.values()} == {True, False}
    assert {attack.k for attack in attacks.values() if hasattr(attack, "k")} == {7}
