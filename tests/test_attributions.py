"""Every method on every network: finite, repeatable, offered only where it is valid, and no trace left."""

import math
import threading

import numpy as np
import pytest
import torch
from torch import nn

from explorer import SparseAttack, load_classifier
from explorer.classifiers import list_classifiers
from explorer.classifiers.bundled import read_manifest
from explorer.evidence import DEFAULT_METHOD, MAPS, METHODS, Case, Reversals, class_maps, explain_pixels, methods_for
from explorer.evidence.attributions.paths import CLOSE, IG_STEPS
from explorer.images import fit
from explorer.samples import find_sample

NETWORKS = [card.name for card in list_classifiers() if card.source == "bundled"]
NO_CAM = {"grad_cam", "guided_grad_cam"}
OF_TRANSFORMERS = {"attention_rollout", "gradient_attention"}


@pytest.fixture(scope="module")
def cases():
    """By network: the network, a sign, the sign attacked, its class."""
    sample, found = find_sample("stop-1"), {}
    for name in NETWORKS:
        network = load_classifier(name, device="cpu")
        image = fit(sample.image, network.input_size)
        label = int(network(image[None]).argmax())
        attack = SparseAttack(steps=20, polish=False, max_pixels=6)
        result = attack(network, image[None], torch.tensor([label]))
        found[name] = network, image, result.adversarial[0], label
    return found


def network_for(name: str) -> str:
    """A network for which the method of this name is valid."""
    return "signs-vit" if name in OF_TRANSFORMERS else "signs-resnet"


def traces(network: nn.Module) -> list:
    """All that a method could leave behind on a network."""
    return [
        (
            dict(module._forward_hooks),
            dict(module._forward_pre_hooks),
            dict(module._backward_hooks),
            dict(module._backward_pre_hooks),
            module.training,
            sorted(vars(module)),
            [(p.grad, p.requires_grad) for p in module.parameters(recurse=False)],
        )
        for module in network.modules()
    ]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_every_network(method, name, cases):
    network, image, adversarial, label = cases[name]
    if methods_for(network, image)[method] is not None:
        with pytest.raises(ValueError, match="is not valid for this network"):
            explain_pixels(network, image, adversarial, label, method)
        return
    kept, before = (image.clone(), adversarial.clone()), traces(network)
    torch.manual_seed(3)
    np.random.seed(3)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()
    evidence = explain_pixels(network, image, adversarial, label, method, splits=0)
    assert torch.equal(torch.get_rng_state(), state[0]), "the process's random numbers are not used up"
    assert (np.random.get_state()[1] == state[1]).all()
    assert traces(network) == before
    assert torch.equal(image, kept[0])
    assert torch.equal(adversarial, kept[1])
    assert len(evidence.pixels) == int((image != adversarial).any(0).sum())
    numbers = torch.tensor([(pixel.obscuring, pixel.leading) for pixel in evidence.pixels])
    assert torch.isfinite(numbers).all()
    assert numbers.abs().max() > 0
    if METHODS[method].unit != "logits":
        assert numbers.abs().max() <= 1
    if METHODS[method].complete:
        assert evidence.checks.completeness_error < 0.1
    assert explain_pixels(network, image, adversarial, label, method, splits=0) == evidence


def test_no_network_is_watched_for_a_method_that_is_valid_anywhere(cases, monkeypatch):
    def watch(*_given):
        raise AssertionError("it was watched")

    monkeypatch.setattr("explorer.evidence.attributions.find_capabilities", watch)
    network, image, adversarial, label = cases["signs-resnet"]
    assert explain_pixels(network, image, adversarial, label, splits=0).pixels
    with pytest.raises(AssertionError, match="it was watched"):
        explain_pixels(network, image, adversarial, label, "grad_cam", splits=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_convolutions_have_nearly_every_method_and_the_transformer_no_grad_cam(name, cases):
    network, image, *_ = cases[name]
    missing = {method for method, problem in methods_for(network, image).items() if problem}
    architecture = read_manifest()[name].architecture
    # Captum knows no rule for vgg's maximum, nor, in either method, for mobilenet's ReLU6 and a softplus.
    neither = {"deep_lift", "guided_grad_cam"}
    known = {"vgg": {"deep_lift"}, "mobilenet": neither, "preact_resnet": neither}
    expected = NO_CAM | {"deep_lift"} if architecture == "vit" else OF_TRANSFORMERS | known.get(architecture, set())
    assert missing == expected


def test_the_mode_of_a_network_in_training_is_not_what_is_explained(cases):
    network, image, adversarial, label = cases["signs-resnet"]
    modes = [module.training for module in network.modules()]
    expected = explain_pixels(network, image, adversarial, label, splits=0)
    network.train()
    try:
        assert explain_pixels(network, image, adversarial, label, splits=0) == expected
        assert all(module.training for module in network.modules())
    finally:
        for module, mode in zip(network.modules(), modes, strict=True):
            module.training = mode


def test_gradient_shap_takes_few_points_at_once_where_memory_is_short(cases, monkeypatch):
    network, image, adversarial, label = cases["signs-vit"]
    at_once, forward = [], type(network).forward

    def small(self, images):
        at_once.append(len(images))
        if len(images) > 20:
            raise torch.OutOfMemoryError
        return forward(self, images)

    monkeypatch.setattr(type(network), "forward", small)
    evidence = explain_pixels(network, image, adversarial, label, "gradient_shap", splits=0)
    assert max(at_once) > 20
    assert at_once[-1] <= 20
    assert all(math.isfinite(pixel.obscuring) for pixel in evidence.pixels)


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_raw_signed_and_of_the_pictures_size(name, cases):
    network, image, adversarial, label = cases["signs-vit" if name in OF_TRANSFORMERS else "signs-cnn"]
    before = traces(network)
    maps = class_maps(network, image, adversarial, label, name)
    assert traces(network) == before
    assert maps.shape == (2, 64, 64)
    assert torch.isfinite(maps).all()
    assert maps.max() > 0
    if name in ("saliency", "occlusion"):
        assert maps.min() < 0


def test_a_map_that_is_not_valid_is_refused(cases):
    with pytest.raises(ValueError, match="No map 'grad_cam' for this network"):
        class_maps(*cases["signs-vit"], "grad_cam")
    with pytest.raises(ValueError, match="there is no such map"):
        class_maps(*cases["signs-cnn"], "tea leaves")


class Reused(nn.Module):
    """One ReLU for two layers, or functions in place of modules, or another activation."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.relu = kind, nn.ReLU()
        self.one, self.two, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        act = {"reused": self.relu, "function": torch.relu, "clamp": lambda z: z.clamp(min=0)}[self.kind]
        return self.head(act(self.two(act(self.one(x)))).mean((2, 3)))


@pytest.mark.parametrize(
    ("kind", "problems"),
    [
        ("reused", {"deep_lift": "uses one ReLU several times"}),
        ("function", {"deep_lift": "calls relu outside a module", "guided_grad_cam": "needs networks with nn.ReLU"}),
        ("clamp", {"deep_lift": "no sound rule for clamp", "guided_grad_cam": "needs networks with nn.ReLU"}),
    ],
)
def test_a_method_is_offered_only_where_it_is_valid(kind, problems):
    found = methods_for(Reused(kind).eval(), torch.rand(3, 8, 8))
    assert {name for name, problem in found.items() if problem} == {*problems} | OF_TRANSFORMERS
    assert all(part in found[name] for name, part in problems.items())


class Moody(nn.Module):
    """Fails at the call of this number: whatever was hooked by then must come off again."""

    def __init__(self, network: nn.Module, fails_at: int) -> None:
        super().__init__()
        self.network, self.left = network, fails_at

    def forward(self, x):
        out = self.network(x)
        self.left -= 1
        if self.left == 0:
            raise ArithmeticError("a bad moment")
        return out


@pytest.mark.parametrize("method", METHODS)
def test_an_error_leaves_no_trace_either(method, cases):
    network, image, adversarial, label = cases[network_for(method)]
    unseen = METHODS[DEFAULT_METHOD].problem, METHODS["shapley"].problem
    watched = METHODS[method].problem not in unseen
    for fails_at in (5, 6, 7)[: 1 + 2 * watched]:  # after four looks: for capabilities, twice, and in the method
        moody = Moody(network, fails_at).eval()
        before = traces(moody)
        with pytest.raises(ArithmeticError):
            explain_pixels(moody, image, adversarial, label, method)
        assert traces(moody) == before


@pytest.mark.parametrize("method", METHODS)
def test_two_threads_see_the_same(method, cases):
    network, image, adversarial, label = cases[network_for(method)]
    alone = explain_pixels(network, image, adversarial, label, method, splits=0)
    valid = methods_for(network, image)
    found, asked, before = [], [], traces(network)

    def look() -> None:
        found.append(explain_pixels(network, image, adversarial, label, method, splits=0))

    def ask() -> None:
        asked.extend(methods_for(network, image) for _ in range(5))

    threads = [threading.Thread(target=each) for each in (look, ask, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone, alone]
    assert asked == [valid] * 5
    assert traces(network) == before


class Kinked(nn.Module):
    """One pixel's change does nothing until half of it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.points = 0

    def forward(self, images):
        self.points += len(images) * torch.is_grad_enabled()
        bright = torch.relu(images[:, :, 0, 0].sum(1) - 1.6)
        return torch.stack([1 - bright, bright, 0 * bright], 1)


def test_integrated_gradients_take_as_many_points_as_the_sum_needs():
    network, image = Kinked(), torch.zeros(3, 64, 64)
    attacked = image.clone()
    attacked[:, 0, 0] = 1
    assert explain_pixels(network, image, attacked, 0).checks.completeness_error <= CLOSE
    assert network.points == 2 * (IG_STEPS + 2 * IG_STEPS)  # of each of the two classes
    network = load_classifier("signs-vit", device="cpu")  # smooth: what is enough is not exceeded
    sign = find_sample("stop-1")
    counts = []
    network.register_forward_hook(lambda module, inputs, logits: counts.append(len(logits) * torch.is_grad_enabled()))
    METHODS["integrated_gradients"].shares(Reversals(Case.of(network, sign.image, sign.image.flip(1), sign.label)))
    assert sum(counts) == 2 * IG_STEPS
