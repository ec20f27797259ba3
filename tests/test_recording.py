"""A network's pass as one call: the same to the last bit, or not at all."""

import gc
import weakref
from functools import partial

import pytest
import torch
from torch import nn

from explorer import Greedy, SparseAttack, load_classifier
from explorer.classifiers import list_classifiers
from explorer.grid import to_grid
from explorer.kernels import kept_in_order, seen_by
from explorer.recording import Recorded, recorded
from explorer.samples import gallery

BUNDLED = [card for card in list_classifiers() if card.source == "bundled"]


def pictures(n: int, size: tuple[int, int] = (64, 64)):
    return to_grid(torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(n)))


def looked(network, images):
    """Logits, and a gradient of them."""
    images = images.clone().requires_grad_()
    logits = network(images)
    return logits.detach(), *torch.autograd.grad(logits.square().sum(), images)


@pytest.mark.parametrize("card", BUNDLED, ids=lambda card: card.name)
def test_it_gives_the_same_to_the_last_bit(card):
    network = load_classifier(card.name, device="cpu")
    images = pictures(33, card.input_size)
    found = recorded(network, images)
    for n in (1, 2, 5, 16, 33):
        for one, other in zip(
            looked(partial(seen_by, found), images[:n]), looked(partial(seen_by, network), images[:n]), strict=True
        ):
            assert torch.equal(one, other), n


def test_layers_are_not_called_where_several_pictures_are_attacked(monkeypatch):
    network, samples = load_classifier("signs-resnet", device="cpu"), gallery()[:3]
    images = torch.stack([sample.image for sample in samples])
    labels = torch.tensor([sample.label for sample in samples])
    attack = SparseAttack(steps=5, polish=False, prune=False)
    expected = [attack(network, images[i : i + 1], labels[i : i + 1]).adversarial for i in range(3)]
    called, forward = [], nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda conv, images: called.append(len(images)) or forward(conv, images))
    attack(network, images, labels)  # it is recorded here
    assert called
    called.clear()
    found = attack(network, images, labels)
    assert called.count(3) <= 2 * sum(isinstance(each, nn.Conv2d) for each in network.modules()), "the last word"
    assert torch.equal(found.adversarial, torch.cat(expected))


@pytest.mark.parametrize("change", ["in place", "unseen", "another"])
def test_weights_that_change_are_seen(change):
    network = load_classifier("signs-cnn", device="cpu")
    images = pictures(3)
    with kept_in_order(network):
        before = recorded(network, images)(images)
    conv = next(each for each in network.modules() if isinstance(each, nn.Conv2d))
    if change == "in place":
        conv.weight.mul_(2)
    elif change == "unseen":
        conv.weight.data.mul_(2)
    else:
        conv.weight = nn.Parameter(conv.weight * 2, requires_grad=False)
    after = recorded(network, images)(images)
    assert torch.equal(after, seen_by(network, images))
    assert not torch.equal(after, before)


def test_one_picture_and_a_network_of_somebody_elses_are_seen_as_ever():
    network = load_classifier("signs-cnn", device="cpu")
    assert recorded(network, pictures(1)) is network
    assert isinstance(recorded(network, pictures(2)), Recorded)
    theirs = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()).eval().requires_grad_(False)
    assert recorded(theirs, pictures(2)) is theirs
    assert recorded(abs, pictures(2)) is abs


class Branching(nn.Module):
    """It says that it computes everything the same way, and does not."""

    recordable = True

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).requires_grad_(False)

    def forward(self, images):
        seen = self.conv(images).mean((2, 3))
        return seen * 2 if len(images) == 3 else seen


def test_what_does_not_give_the_same_is_not_used():
    network = Branching()
    assert recorded(network, pictures(2)) is network


@pytest.mark.parametrize("error", [AttributeError("no such thing"), RuntimeError("not this one")])
def test_where_nothing_can_be_recorded_nothing_is(error, monkeypatch):
    def broken(*_given, **_more):
        raise error

    monkeypatch.setattr(torch.jit, "trace", broken)
    network = load_classifier("signs-cnn", device="cpu")
    assert recorded(network, pictures(2)) is network


def test_it_goes_with_its_network():
    network = load_classifier("signs-cnn", device="cpu")
    found = recorded(network, pictures(2))
    assert isinstance(found, Recorded)
    gone = weakref.ref(network)
    del network, found
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", ["signs-resnet", "cifar-mobilenet"])
def test_an_attack_of_several_is_that_of_each(name):
    network = load_classifier(name, device="cpu")
    images = pictures(3, network.input_size)
    labels = network(images).argmax(1)
    attack = Greedy(steps=6, anew=5, swaps=2)
    together = attack(network, images, labels)
    for i in range(3):
        alone = attack(network, images[i : i + 1], labels[i : i + 1])
        assert torch.equal(alone.adversarial[0], together.adversarial[i])
