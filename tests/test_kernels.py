"""Convolutions on a CPU: a picture alone is the same to the last bit as in any batch."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from explorer import explain_pixels, load_classifier
from explorer.grid import to_grid
from explorer.kernels import OneDNN, kept_in_order, seen_by
from explorer.samples import gallery

PICTURES = torch.stack([sample.image for sample in gallery()[:17]])


def seen(network, images, mode=OneDNN):
    """Logits and their gradients by the pictures."""
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
    with mode():
        logits = network(images)
    return logits.detach(), *torch.autograd.grad(logits.square().sum(), images)


@pytest.mark.parametrize("name", ["signs-resnet", "signs-cnn", "signs-sparse"])
def test_a_picture_is_the_same_alone_and_in_any_batch(name):
    network = load_classifier(name, device="cpu")
    logits, gradients = seen(network, PICTURES)
    for n in (1, 2, 5, 15, 16):
        some, slopes = seen(network, PICTURES[-n:])
        assert torch.equal(some, logits[-n:])
        assert torch.equal(slopes, gradients[-n:])


@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 3},
        {"kernel_size": (3, 5), "stride": (2, 3), "padding": (1, 0), "bias": False},
        {"kernel_size": 3, "dilation": 2, "padding": "same"},
        {"kernel_size": 3, "dilation": (2, 1), "padding": (0, 2), "stride": 2},
        {"kernel_size": 1},
        {"kernel_size": 3, "groups": 3},
    ],
)
@pytest.mark.parametrize("size", [(9, 12), (16, 16)])
def test_it_is_the_same_convolution(how, size):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, **how).requires_grad_(False)
    network = nn.Sequential(conv, nn.Flatten())
    for images in (torch.rand(1, 3, *size), torch.rand(2, 3, *size)):
        for found, expected in zip(seen(network, images), seen(network, images, nullcontext), strict=True):
            torch.testing.assert_close(found, expected)


def test_weights_that_change_are_seen():
    conv = nn.Conv2d(3, 4, 3).requires_grad_(False)
    before, _ = seen(conv, PICTURES[:1])
    conv.weight.mul_(2)
    conv.bias.mul_(2)
    after, _ = seen(conv, PICTURES[:1])
    torch.testing.assert_close(after, 2 * before)


def test_weights_that_have_changed_unseen_are_seen_the_next_time():
    conv = nn.Conv2d(3, 4, 3).requires_grad_(False)
    network = nn.Sequential(conv, nn.Flatten())
    with kept_in_order(network):
        before, _ = seen(network, PICTURES[:1])
    conv.weight.data.mul_(2)
    conv.bias.data.mul_(2)
    after, _ = seen(network, PICTURES[:1])
    torch.testing.assert_close(after, 2 * before)


def test_it_is_the_same_in_whatever_order_the_pictures_lie():
    network = load_classifier("signs-resnet", device="cpu")
    found = []
    for order in (torch.contiguous_format, torch.channels_last):
        images = PICTURES.contiguous(memory_format=order).requires_grad_()
        logits = seen_by(network, images)
        found.append((logits, *torch.autograd.grad(logits.square().sum(), images)))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_pictures_are_normalised_plane_by_plane_and_convolved_with_channels_last():
    orders = []

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3).requires_grad_(False)

        def forward(self, x):
            orders.append(x.is_contiguous())
            x = self.conv(x - 0.5)
            orders.append(x.is_contiguous(memory_format=torch.channels_last))
            return x.flatten(1)

    images = PICTURES[:2].contiguous(memory_format=torch.channels_last).requires_grad_()
    seen_by(Network(), images).sum().backward()
    assert orders == [True, True]


def test_evidence_sees_weights_that_have_changed_unseen_as_well():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 4)).eval()
    image = to_grid(torch.rand(3, 8, 8))
    other = to_grid(image.clone().index_fill_(1, torch.tensor([3]), 1.0))
    label = int(network(image[None]).argmax())
    explain_pixels(network, image, other, label, splits=0)
    network[0].weight.data.mul_(3)
    found = explain_pixels(network, image, other, label, splits=0)
    assert found == explain_pixels(copy.deepcopy(network), image, other, label, splits=0)


def test_a_gradient_has_a_gradient():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Softplus(), nn.Conv2d(4, 2, 3, dilation=2))
    network.requires_grad_(False)
    found = []
    for mode in (OneDNN, nullcontext):
        images = PICTURES[:2].clone().requires_grad_()
        with mode():
            (slope,) = torch.autograd.grad(network(images).square().sum(), images, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), images)[0])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)
    assert found[0].abs().max() > 0


@pytest.mark.parametrize("kind", ["vmap", "exported", "inference"])
def test_networks_of_other_kinds_are_seen(kind):
    torch.manual_seed(0)
    with torch.inference_mode(kind == "inference"):
        inner = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 4)).eval()
    images = torch.rand(3, 3, 8, 8)
    network = inner
    if kind == "vmap":
        network = torch.func.vmap(lambda picture: inner(picture[None])[0])
    elif kind == "exported":
        dim = torch.export.Dim("b", min=1, max=64)
        network = torch.export.export(inner, (images,), dynamic_shapes=({0: dim},)).module()
    with torch.no_grad():
        torch.testing.assert_close(seen_by(network, images), inner(images))


def test_weights_that_learn_do():
    conv = nn.Conv2d(3, 4, 3)
    with OneDNN():
        conv(PICTURES[:1]).sum().backward()
    assert conv.weight.grad.abs().sum() > 0
