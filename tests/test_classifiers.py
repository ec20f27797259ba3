"""Every classifier keeps the same contract, and the networks are what they say."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from explorer.attacks import SparsePGD
from explorer.attacks.dense import sign_attack
from explorer.classifiers import CLASSIFIERS, DEFAULT, Card, fold_batch_norm, list_classifiers, load_classifier
from explorer.classifiers.bundled import ASSETS, MANIFEST, load_bundled, read_manifest
from explorer.classifiers.networks import ARCHITECTURES
from explorer.images import fit
from explorer.samples import CUSTOM, DATA_SETS, RoadSigns
from explorer.signs import CLASS_NAMES
from explorer.training import Pictures

BUNDLED = [name for name, card in CLASSIFIERS.items() if card.source == "bundled"]
SIGNS = [name for name in BUNDLED if CLASSIFIERS[name].dataset == "signs"]
PROMISED = {  # accuracy, and robust or sparse accuracy, of which the README speaks
    "signs-resnet": (0.98, None),
    "signs-cnn": (0.98, None),
    "signs-vit": (0.98, None),
    "signs-robust": (0.92, 0.6),
    "signs-sparse": (0.93, 0.15),
    "cifar-resnet20": (0.90, None),
    "cifar-vgg": (0.89, None),
    "cifar-mobilenet": (0.88, None),
    "cifar-vit": (0.75, None),
    "cifar-pgd": (0.60, 0.32),
    "cifar-fast": (0.60, 0.28),
    "cifar-sparse": (0.50, 0.15),
}
DATASETS = (*DATA_SETS, CUSTOM)


@pytest.fixture(scope="module")
def unseen() -> Pictures:
    return Pictures.of(RoadSigns.name, train=False, n=306)


def accuracy(classifier, images, labels) -> float:
    with torch.no_grad():
        return (classifier(images).argmax(1) == labels).float().mean().item()


def fit_all(images, size):
    return torch.stack([fit(image, size) for image in images])


def test_the_cards_are_in_order():
    assert [card.name for card in list_classifiers() if card.source != "own"] == list(CLASSIFIERS)
    assert DEFAULT in CLASSIFIERS
    assert {*BUNDLED} == {*read_manifest()}
    for name, card in CLASSIFIERS.items():
        assert isinstance(card, Card)
        assert card.name == name
        assert card.dataset in DATASETS
        assert card.title
        assert card.summary.endswith(".")
        assert card.source in ("bundled", "torchvision")


@pytest.mark.parametrize("name", BUNDLED)
def test_a_classifier_keeps_the_contract(name):
    state = torch.random.get_rng_state()
    classifier = load_classifier(name, device="cpu")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert classifier.name == name
    card = CLASSIFIERS[name]
    assert card.available
    assert (classifier.dataset, classifier.input_size) == (card.dataset, card.input_size)
    assert card.parameters == sum(parameter.numel() for parameter in card.build().parameters())
    assert 4 * card.parameters < card.attack_bytes < 1e9
    assert classifier.device == torch.device("cpu")
    assert not any(module.training for module in classifier.modules())
    assert not any(parameter.requires_grad for parameter in classifier.parameters())
    assert not any(getattr(module, "inplace", False) for module in classifier.modules())

    images = torch.rand(2, 3, *classifier.input_size, generator=torch.Generator().manual_seed(0), requires_grad=True)
    logits = classifier(images)
    assert logits.shape == (2, len(classifier.class_names))
    assert logits.isfinite().all()
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), images)
    assert gradient.abs().sum() > 0
    torch.testing.assert_close(classifier(images[:1]), logits[:1], rtol=1e-4, atol=1e-4)

    double = load_classifier(name, device="cpu", dtype=torch.float64)(images.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_manifest_says_what_was_promised(name):
    classifier, entry, (least, robust) = load_classifier(name, device="cpu"), read_manifest()[name], PROMISED[name]
    assert entry.classes == classifier.class_names
    assert entry.evaluated_on == DATA_SETS[entry.dataset].n_unseen
    assert entry.accuracy >= least
    assert (entry.robust_accuracy is None) == (entry.eps is None)
    sparse = entry.sparse_accuracy, entry.sparse_pixels, entry.sparse_evaluated_on
    assert len({each is None for each in sparse}) == 1
    resists = [each for each in (entry.robust_accuracy, entry.sparse_accuracy) if each is not None]
    assert len(resists) == (robust is not None)
    assert robust is None or resists[0] >= robust


@pytest.mark.parametrize("name", SIGNS)
def test_a_classifier_is_as_accurate_as_the_manifest_says(name, unseen):
    classifier, entry = load_classifier(name, device="cpu"), read_manifest()[name]
    assert entry.classes == list(CLASS_NAMES)
    measured = accuracy(classifier, unseen.images.float() / 255, unseen.labels)
    assert measured >= 0.95 or measured >= entry.accuracy - 0.03


@pytest.mark.parametrize("name", [name for name in SIGNS if CLASSIFIERS[name].sparse_accuracy is None])
def test_only_adversarial_training_resists(name, unseen):
    classifier, entry = load_classifier(name, device="cpu"), read_manifest()[name]
    images, labels = unseen.images[:54].float() / 255, unseen.labels[:54]
    generator, eps = torch.Generator().manual_seed(0), DATA_SETS[entry.dataset].eps
    attacked = sign_attack(classifier, images, labels, eps=eps, steps=10, step_size=eps / 4, generator=generator)
    measured = accuracy(classifier, attacked, labels)
    if entry.robust_accuracy:
        assert measured >= 0.6
    else:
        assert measured < 0.6


@pytest.mark.parametrize("name", [name for name in SIGNS if CLASSIFIERS[name].sparse_accuracy is not None])
def test_training_against_sparse_attacks_takes_them_more_pixels(name, unseen):
    """Those of Sparse-PGD, which fool the ordinary network with them on nearly every picture."""
    images, labels = unseen.images[:36].float() / 255, unseen.labels[:36]
    attack = SparsePGD(k=CLASSIFIERS[name].sparse_pixels, backward="full", steps=30)
    ordinary, trained = (
        1 - attack(load_classifier(each, "cpu"), images, labels).succeeded.float().mean() for each in (DEFAULT, name)
    )
    assert trained >= ordinary + 0.3


@pytest.mark.parametrize("name", BUNDLED)
def test_the_manifest_describes_the_file(name):
    entry = read_manifest()[name]
    path = ASSETS / entry.file
    assert path.suffix == ".safetensors"
    assert path.stat().st_size < 5_000_000
    network = ARCHITECTURES[entry.architecture](len(entry.classes), **entry.arguments)
    assert sum(parameter.numel() for parameter in network.parameters()) == entry.parameters
    assert f"train {name}" in entry.command


@pytest.mark.parametrize("device", ["gpu0", "cuda:99", "", 7])
def test_a_device_that_is_not_there_is_one_sentence(device):
    with pytest.raises(ValueError, match=r"There is no device '.*' here: auto, cpu, cuda or mps is expected\."):
        load_classifier("signs-cnn", device)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="signs-resnet, signs-cnn"):
        load_classifier("resnet-of-nowhere")


def test_damaged_and_missing_weights_are_refused(tmp_path):
    shutil.copy(ASSETS / MANIFEST, tmp_path)
    with pytest.raises(RuntimeError, match="cannot be read from"):
        load_bundled(DEFAULT, tmp_path)
    file = json.loads((tmp_path / MANIFEST).read_text())[DEFAULT]["file"]
    content = bytearray((ASSETS / file).read_bytes())
    content[-1] ^= 1
    (tmp_path / file).write_bytes(content)
    with pytest.raises(RuntimeError, match="SHA-256"):
        load_bundled(DEFAULT, tmp_path)


SMALL = {
    "mobilenet": {"width": 0.5, "stages": [[1, 16, 1, 1], [2, 24, 2, 2]]},
    "preact_resnet": {"widths": [8, 16], "blocks": [2, 1], "strides": [1, 2]},
    "resnet": {"widths": [8, 16], "blocks": [2, 1], "strides": [1, 2]},
    "vgg": {"widths": [[8, 8], [16]]},
    "vit": {"input_size": 32, "width": 24, "depth": 2, "heads": 2},
}


OF_SUMS = {"preact_resnet": 3}  # normalisations that come after an addition, and so after no convolution


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_folding_changes_nothing_but_the_number_of_steps(architecture):
    torch.manual_seed(0)
    network = ARCHITECTURES[architecture](10, **SMALL[architecture])
    images = torch.rand(4, 3, 32, 32)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after training, not as when new
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    network.eval()
    before = network(images)
    folded = fold_batch_norm(network)
    left = [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(left) == OF_SUMS.get(architecture, 0)
    torch.testing.assert_close(folded(images), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", BUNDLED)
def test_folding_a_trained_network_is_exact(name, unseen):
    entry = read_manifest()[name]
    network = ARCHITECTURES[entry.architecture](len(entry.classes), **entry.arguments).eval()
    network.load_state_dict(load_file(ASSETS / entry.file))  # in single precision, however it is stored
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (entry.mean, entry.std))
    images = fit_all(unseen.images[:18].float() / 255, entry.input_size)
    with torch.no_grad():
        expected = network((images - mean) / std)
    torch.testing.assert_close(load_classifier(name, device="cpu")(images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_use_of_a_relu_is_a_module_of_its_own(architecture):
    """Attribution by DeepLIFT and guided backpropagation hooks modules, each of which may run once."""
    network = ARCHITECTURES[architecture](10, **SMALL[architecture]).eval()
    kinds = nn.ReLU | nn.ReLU6 | nn.GELU | nn.Softplus | nn.MaxPool2d
    calls = dict.fromkeys((module for module in network.modules() if isinstance(module, kinds)), 0)

    def count(module, *_):
        calls[module] += 1

    for module in calls:
        module.register_forward_hook(count)
    network(torch.rand(1, 3, 32, 32))
    assert set(calls.values()) == {1}


def test_the_defaults_are_the_networks_of_the_literature():
    """ResNet-20 has 0.27 million parameters (arXiv 1512.03385, table 6)."""
    assert sum(parameter.numel() for parameter in ARCHITECTURES["resnet"](10).parameters()) == pytest.approx(
        270_000, rel=0.02
    )
