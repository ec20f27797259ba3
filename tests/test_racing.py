"""The race of classes that greedy starts with: which classes, and that the one with the fewest pixels wins."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer import Greedy
from explorer.attacks.problem import Problem
from explorer.attacks.racing import nearest
from explorer.grid import to_grid

SIZE, LONE = 8, 40


class Decoy(nn.Module):
    """Class 0 is seen. Class 1 is close, but each pixel leads only a tenth of the way to it; class 2 is twice as far,
    and one pixel leads there; class 3 cannot be reached.
    """

    def forward(self, images):
        brightness = images.mean(1).flatten(1)
        zero = brightness.sum(1) * 0
        others = brightness.sum(1) - brightness[:, LONE]
        return torch.stack([zero, -1 + 0.11 * others, -2 + 3 * brightness[:, LONE], zero - 5], 1)


def black(n: int = 1) -> torch.Tensor:
    return torch.zeros(n, 3, SIZE, SIZE)


def problem_for(network, images, **changes) -> Problem:
    with torch.no_grad():
        labels = network(images).argmax(1)
    return Problem(network, images, labels, None, torch.zeros_like(images), torch.ones_like(images), **changes)


def test_the_class_that_one_pixel_reaches_wins():
    images, labels = black(2), torch.zeros(2, dtype=torch.int64)
    attack = Greedy(classes=2, prune=False, polish=False)
    result = attack(Decoy(), images, labels)
    assert result.n_pixels.tolist() == [1, 1]
    assert result.adversarial_labels.tolist() == [2, 2]
    towards = attack(Decoy(), images, labels, targets=torch.tensor([1, 2]))
    assert towards.succeeded.all(), "a target is no matter of choice"
    assert towards.adversarial_labels.tolist() == [1, 2]
    assert towards.n_pixels[0] >= 10


def test_the_race_obeys_the_region():
    elsewhere = torch.ones(SIZE, SIZE, dtype=torch.bool)
    elsewhere.view(-1)[LONE] = False
    result = Greedy(classes=3)(Decoy(), black(), torch.tensor([0]), region=elsewhere)
    assert result.succeeded.all()
    assert result.adversarial_labels.tolist() == [1]
    assert not (result.adversarial != black())[..., ~elsewhere].any()


def test_the_nearest_classes_come_first():
    """As computed by hand: 2 / |3 / 3 sqrt 3| = 1.15, 1 / (0.11 / 3 sqrt(3 * 63)) = 1.98, and no slope at all."""
    problem = problem_for(Decoy(), black())
    assert nearest(problem, 3).tolist() == [[2, 1, 3]]
    assert nearest(problem, 1).tolist() == [[2]]
    assert nearest(problem, 100).tolist() == [[2, 1, 3]], "there are no more"
    barred = problem.high.clone()
    barred.view(3, -1)[:, LONE] = 0
    assert nearest(replace(problem, high=barred), 1).tolist() == [[1]]
    assert nearest(replace(problem, targets=torch.tensor([3])), 3).tolist() == [[3]]


@pytest.mark.parametrize("classes", [1, 3, 17])
def test_an_image_races_as_if_it_were_alone(classes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 5)).eval()
    images = to_grid(torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)))
    labels = network(images).argmax(1)
    attack = Greedy(classes=classes)
    together = attack(network, images, labels).adversarial
    for image, label, found in zip(images, labels, together, strict=True):
        assert torch.equal(attack(network, image[None], label[None]).adversarial[0], found)


def test_gradients_in_parts_are_those_of_the_whole():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 5), nn.Tanh(), nn.Linear(5, 5)).eval()
    images = to_grid(torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)))
    aims = torch.tensor([0, 1, 2, 3, 4])
    whole = replace(problem_for(network, images), targets=aims)
    for one, other in zip(
        replace(whole, forward_size=2).margin_and_gradient(images), whole.margin_and_gradient(images), strict=True
    ):
        torch.testing.assert_close(one, other)
