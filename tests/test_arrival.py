"""The first look at a network that somebody brought along: does it predict, and is its normalisation right?"""

import pytest
import torch
from app_page import cifar10_card, write_cifar10
from own_networks import python_file
from torch import nn

from explorer.classifiers import Classifier, load_classifier
from explorer.classifiers.bundled import ASSETS, read_manifest
from explorer.classifiers.own import load_own_weights
from explorer.classifiers.python import as_classifier, load_python
from explorer.pipeline import first_look
from explorer.samples import DATA_SETS, cifar10, data_set_of

CONTENT = (ASSETS / read_manifest()["signs-cnn"].file).read_bytes()
NONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def signs(**options) -> Classifier:
    return load_own_weights(CONTENT, "signs-cnn", "signs", **options)


@pytest.mark.parametrize("name", ["signs-resnet", "signs-cnn", "signs-vit", "signs-robust"])
def test_a_network_that_is_as_described_is_left_alone(name):
    look = first_look(load_classifier(name, device="cpu"))
    assert look.n == 10
    assert look.tried[0].right >= 9
    assert look.better is None
    assert "normalisation looks right" in look.told


def test_a_missing_normalisation_is_found():
    look = first_look(signs(mean=NONE[0], std=NONE[1]))
    assert look.better.kind == "added"
    assert (look.better.mean, look.better.std) == (DATA_SETS["signs"].mean, DATA_SETS["signs"].std)
    assert "normalisation looks missing" in look.told
    again = first_look(signs(mean=look.better.mean, std=look.better.std))
    assert again.tried[0].right == look.better.right
    assert again.better is None


def test_a_normalisation_that_is_done_twice_is_found():
    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.clf = load_classifier("signs-vit", device="cpu")

        def forward(self, images):
            return self.clf(images)

    clf = load_classifier("signs-vit", device="cpu")
    twice = Classifier(
        Inside(),
        name="twice",
        class_names=clf.class_names,
        input_size=(64, 64),
        dataset="signs",
        mean=clf.mean.flatten().tolist(),
        std=clf.std.flatten().tolist(),
    )
    look = first_look(twice)
    assert look.better.kind == "removed"
    assert look.better.right >= 9
    assert "normalised twice" in look.told


def test_the_mean_of_another_data_set_is_found_where_it_matters():
    look = first_look(signs(mean=(0.9, 0.1, 0.9), std=(0.9, 0.9, 0.9)))
    assert look.better.kind == "usual"
    assert "look wrong" in look.told


def test_python_that_forgot_or_doubled_it_is_told(tmp_path):
    file = python_file(
        tmp_path,
        """
import torchvision
from explorer import load_classifier

def of(network):
    network.class_names = "signs"
    return network

def bare():
    return of(load_classifier("signs-vit", device="cpu").network)

def twice():
    from torch import nn
    clf = load_classifier("signs-vit", device="cpu")
    mean, std = (each.flatten().tolist() for each in (clf.mean, clf.std))
    return of(nn.Sequential(torchvision.transforms.Normalize(mean, std), clf))
""",
        "normalised",
    )
    kinds = {}
    for function in ("bare", "twice"):
        network = load_python(f"{file}:{function}")
        kinds[function] = first_look(as_classifier(network, function, (64, 64))).better.kind
    assert kinds == {"bare": "added", "twice": "removed"}


def test_classes_in_another_order_are_no_matter_of_normalisation():
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = load_classifier("signs-cnn", device="cpu").network

        def forward(self, images):
            return self.network(images).roll(1, 1)

    known = DATA_SETS["signs"]
    clf = Classifier(
        Turned(),
        name="turned",
        class_names=known.classes,
        input_size=(64, 64),
        dataset="signs",
        mean=known.mean,
        std=known.std,
    )
    look = first_look(clf)
    assert look.better is None
    assert "check the order of its classes" in look.told


def test_where_there_are_no_labelled_pictures_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path))
    cifar = cifar10_card().load()
    look = first_look(cifar)
    assert (look.n, look.better) == (0, None)
    assert "no labelled pictures of CIFAR-10" in look.told
    cifar.dataset = "custom"
    assert "no labelled pictures of its own classes" in first_look(cifar).told
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(b"no picture")
    cifar.dataset = "cifar10"
    assert first_look(cifar).n == 0, "pictures that cannot be read are none"


def test_cifar10_is_looked_at_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path))
    write_cifar10(tmp_path)
    look = first_look(cifar10_card().load())
    assert (look.n, look.tried[0].right) == (10, 10)
    assert "10 of 10 pictures of CIFAR-10" in look.told


def test_a_look_leaves_no_trace():
    clf = signs()
    before = {name: tensor.clone() for name, tensor in clf.state_dict().items()}
    state = torch.get_rng_state()
    first_look(clf)
    assert all(torch.equal(tensor, before[name]) for name, tensor in clf.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_classes_are_known_however_they_are_spelt():
    known = DATA_SETS
    assert {name: data_set_of(each.classes) for name, each in known.items()} == {name: name for name in known}
    assert data_set_of(["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]) == "cifar10"
    assert data_set_of([name.upper().replace(" ", "_") for name in known["signs"].classes]) == "signs"
    assert data_set_of([*known["signs"].classes][::-1]) == "custom"
    assert data_set_of([]) == "custom"
