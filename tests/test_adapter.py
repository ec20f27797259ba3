"""The border to networks that others wrote: what nearly keeps the contract works, anything else is one sentence."""

import copy
import functools
import threading
import time
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from explorer import SparseAttack, explain_pixels
from explorer.adapter import Adapted, adapted
from explorer.grid import to_grid
from explorer.locks import own_twin
from explorer.studies.bench import TERMS
from explorer.studies.measures import measured

SIZE = 8
IMAGES = to_grid(torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)))
Output = namedtuple("Output", ["logits", "hidden"])


@pytest.fixture(scope="module")
def plain() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 4))
    return network.eval()


@dataclass
class Unhashable:
    """What can be called, and not told from others."""

    function: Callable

    def __call__(self, images):
        return self.function(images)


class Wrapped(nn.Module):
    """`network` with something else before or after it."""

    def __init__(self, network, before=lambda x: x, after=lambda z: z):
        super().__init__()
        self.network, self.before, self.after = network, before, after

    def forward(self, images):
        return self.after(self.network(self.before(images)))


def one_only(images):
    if len(images) != 1:
        raise RuntimeError("this network takes one picture")
    return images


NEARLY = {
    "tuple": {"after": lambda z: (z,)},
    "list": {"after": lambda z: [z]},
    "dict": {"after": lambda z: {"scores": z}},
    "dict of logits": {"after": lambda z: {"logits": z, "features": z * 2}},
    "ordered dict": {"after": lambda z: OrderedDict(out=z)},
    "an object with logits": {"after": lambda z: Output(z, z * 2)},
    "half precision": {"after": lambda z: z.half()},
    "double precision": {"after": lambda z: z.double()},
    "writes into its input": {"before": lambda x: x.sub_(0.5).mul_(2)},
    "one picture at a time": {"before": one_only},
    "view of dense pictures": {"before": lambda x: x.view(len(x), -1).view(-1, 3, SIZE, SIZE)},
    "one at a time, written into, in a tuple": {"before": lambda x: one_only(x).sub_(0.5), "after": lambda z: (z,)},
}


@pytest.mark.parametrize("name", NEARLY)
def test_what_nearly_keeps_the_contract_works(name, plain):
    network, kept = Wrapped(plain, **NEARLY[name]), IMAGES.clone()
    wrapped, n_classes = adapted(network, IMAGES)
    assert isinstance(wrapped, Adapted)
    assert n_classes == 4
    logits = wrapped(IMAGES)
    assert logits.shape == (3, 4)
    assert logits.dtype == torch.float32
    labels = logits.argmax(1)
    result = SparseAttack(steps=30)(network, IMAGES, labels)
    assert result.succeeded.all()
    assert torch.equal(wrapped(result.adversarial).argmax(1), result.adversarial_labels)
    evidence = explain_pixels(network, IMAGES[0], result.adversarial[0], int(labels[0]))
    assert len(evidence.pixels) == int(result.n_pixels[0])
    assert torch.equal(IMAGES, kept), "the caller's pictures are left alone"


def test_what_keeps_it_is_used_as_it_is(plain):
    assert adapted(plain, IMAGES)[0] is plain


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_scripted_traced_and_exported_networks_work(plain):
    batch = torch.export.Dim("batch", min=1, max=4096)
    exported = torch.export.export(plain, (IMAGES,), dynamic_shapes=({0: batch},)).module()
    labels = plain(IMAGES).argmax(1)
    expected = SparseAttack(steps=20)(plain, IMAGES, labels).n_pixels
    for network in (torch.jit.trace(plain, IMAGES), torch.jit.script(plain), exported):
        result = SparseAttack(steps=20)(network, IMAGES, labels)
        assert result.succeeded.all()
        assert torch.equal(result.n_pixels, expected)


@pytest.mark.parametrize("made", [lambda f: f, functools.partial, Unhashable], ids=["plain", "partial", "unhashable"])
def test_a_function_runs_once_at_a_time_though_each_worker_has_a_twin(plain, made):
    inside = threading.Semaphore(1)

    def function(images):
        assert inside.acquire(blocking=False), "it already runs"
        time.sleep(0.02)
        inside.release()
        return plain(images)

    network = Adapted(made(function), copies=False, one_by_one=False)
    with ThreadPoolExecutor(2) as workers:
        for logits in workers.map(lambda image: own_twin(network)(image[None]), IMAGES):
            assert logits.shape == (1, 4)


class Viewing(nn.Module):
    """It looks at what it convolves as at a row of numbers, which must lie plane by plane."""

    def __init__(self, before=lambda x: x):
        super().__init__()
        torch.manual_seed(0)
        self.before, self.conv, self.head = before, nn.Conv2d(3, 6, 3, padding=1), nn.Linear(6 * SIZE * SIZE, 4)

    def forward(self, images):
        return self.head(self.conv(self.before(images)).relu().view(len(images), -1))


@pytest.mark.parametrize("before", [lambda x: x, torch.Tensor.contiguous, one_only])
def test_a_network_may_view_what_it_has_convolved(before):
    network, kept = Viewing(before).eval(), IMAGES.clone()
    labels = torch.cat([network(image[None]) for image in IMAGES]).argmax(1)
    result = SparseAttack(steps=30)(network, IMAGES, labels)
    assert result.succeeded.all()
    for image, label, alone in zip(IMAGES, labels, result.adversarial, strict=True):
        assert torch.equal(SparseAttack(steps=30)(network, image[None], label[None]).adversarial[0], alone)
    evidence = explain_pixels(network, IMAGES[0], result.adversarial[0], int(labels[0]))
    assert len(evidence.pixels) == int(result.n_pixels[0])
    assert torch.equal(IMAGES, kept)


def test_a_network_of_ones_own_that_is_measured_keeps_its_mode_and_its_statistics():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 4)).eval()
    network = Adapted(inner, copies=True, one_by_one=False, guarded=True)
    before, labels = copy.deepcopy(inner.state_dict()), network(IMAGES).argmax(1)
    assert not network.training
    for _ in range(2):
        rows = measured(network, IMAGES, labels, SparseAttack(steps=10), TERMS)
        assert all(row["n_pixels"] > 0 for row in rows)
        assert not any(module.training for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in inner.state_dict().items())


class Counting(nn.Module):
    """Its answer depends on how often it was asked."""

    def __init__(self, network):
        super().__init__()
        self.network, self.times = network, 0

    def forward(self, images):
        self.times += 1
        return self.network(images) + self.times * torch.tensor([1.0, 0.0, 0.0, 0.0])


BAD = {
    "no tensor": (lambda z: "cat", r"must return logits.*got a str"),
    "two tensors": (lambda z: (z, z * 2), r"got a tuple with 2 tensors"),
    "nothing": (lambda z: None, "got a NoneType"),
    "one value a picture": (lambda z: z[:, 0], r"logits of shape \(b, k\).*got \(2,\)"),
    "one class": (lambda z: z[:, :1], r"k >= 2; got \(2, 1\)"),
    "maps": (lambda z: z[..., None], r"got \(2, 4, 1\)"),
    "integers": (lambda z: z.long(), "got .* of torch.int64"),
    "probabilities": (lambda z: z.softmax(1), "leave the softmax out"),
    "not finite": (lambda z: z / 0, "finite logits"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_one_sentence(name, plain):
    after, message = BAD[name]
    with pytest.raises(ValueError, match=message) as error:
        SparseAttack()(Wrapped(plain, after=after), IMAGES, torch.zeros(3, dtype=torch.int64))
    assert "\n" not in str(error.value)


def test_what_a_network_raises_is_told():
    def asserts(images):
        assert images.shape[-1] == 32, "expected 32 pixels\nacross"
        return images

    with pytest.raises(ValueError, match=r"pictures of shape \(b, 3, 8, 8\).*AssertionError: expected 32 pixels$"):
        SparseAttack()(asserts, IMAGES, torch.zeros(3, dtype=torch.int64))


def test_a_network_that_keeps_state_is_refused(plain):
    with pytest.raises(ValueError, match="same logits every time"):
        SparseAttack()(Counting(plain), IMAGES, torch.zeros(3, dtype=torch.int64))


def test_a_network_without_gradients_is_told(plain):
    def outside(images):
        with torch.no_grad():
            return plain(images)

    with pytest.raises(ValueError, match="must give gradients"):
        SparseAttack()(outside, IMAGES, torch.zeros(3, dtype=torch.int64))
