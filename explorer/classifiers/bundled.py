"""The classifiers that come with the project: weights in assets/, described by assets/classifiers.json."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from safetensors.torch import load as load_tensors
from torch import nn

from explorer.classifiers.card import Card
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.folding import fold_batch_norm
from explorer.classifiers.networks import ARCHITECTURES
from explorer.classifiers.skeleton import WithoutNumbers
from explorer.folders import ASSETS

MANIFEST = "classifiers.json"

# Title, architecture and one sentence, in the order in which they are offered.
BUNDLED: dict[str, tuple[str, str, str]] = {
    "signs-resnet": (
        "Road signs: ResNet",
        "residual network, 3 blocks",
        "A small residual network, trained in the ordinary way: accurate, and easily fooled.",
    ),
    "signs-cnn": (
        "Road signs: plain CNN",
        "VGG style, 4 convolutions",
        "Convolutions one after another, without shortcuts: the simplest of these networks.",
    ),
    "signs-vit": (
        "Road signs: vision transformer",
        "vision transformer, 64 patches",
        "Cuts the picture into 64 patches and weighs how they relate, however far apart they lie.",
    ),
    "signs-robust": (
        "Road signs: adversarially trained",
        "residual network, 3 blocks",
        "The ResNet again, trained on its own worst cases: it resists faint changes of all pixels.",
    ),
    "signs-sparse": (
        "Road signs: trained against sparse attacks",
        "pre-activation residual network, 3 blocks",
        "Trained on pictures with a few pixels changed, those that confuse it most: it resists sparse changes.",
    ),
    "cifar-resnet20": (
        "CIFAR-10: ResNet-20",
        "residual network, 9 blocks",
        "The smallest of the networks with which residual learning was introduced.",
    ),
    "cifar-vgg": (
        "CIFAR-10: VGG",
        "VGG style, 7 convolutions",
        "Convolutions one after another, without shortcuts.",
    ),
    "cifar-mobilenet": (
        "CIFAR-10: MobileNetV2",
        "MobileNetV2, half as wide",
        "Made for telephones: its convolutions look at each channel alone and mix the channels afterwards.",
    ),
    "cifar-vit": (
        "CIFAR-10: vision transformer",
        "vision transformer, 64 patches",
        "Cuts the picture into 64 patches and weighs how they relate, however far apart they lie.",
    ),
    "cifar-pgd": (
        "CIFAR-10: adversarially trained, PGD",
        "residual network, 3 blocks",
        "Trained on its own worst cases, each searched for in several steps: it resists faint changes of all pixels.",
    ),
    "cifar-fast": (
        "CIFAR-10: adversarially trained, fast",
        "residual network, 3 blocks",
        "The same with worst cases that are found in a single step, at a fraction of the time.",
    ),
    "cifar-sparse": (
        "CIFAR-10: trained against sparse attacks",
        "pre-activation residual network, 3 blocks",
        "Trained on pictures with a few pixels changed, those that confuse it most: it resists sparse changes.",
    ),
}


@dataclass(frozen=True)
class Entry:
    """What the manifest says about one bundled classifier."""

    file: str  # within the assets' folder
    architecture: str  # a key of ARCHITECTURES
    arguments: dict  # its keyword arguments
    classes: list[str]
    mean: list[float]  # of the training pictures, per channel, in [0, 1]
    std: list[float]
    input_size: list[int]  # h, w
    dataset: str
    accuracy: float  # share of `evaluated_on` unseen pictures that are classified correctly
    evaluated_on: int
    robust_accuracy: float | None  # the same under PGD-20 within eps; None where it was not measured
    eps: float | None  # its L-infinity radius, in [0, 1] units
    parameters: int
    command: str  # what trained it
    sha256: str
    source: str
    licence: str
    # Share of `sparse_evaluated_on` unseen pictures that no attack of training.sparse_attacks(sparse_pixels) fools;
    # None where it was not measured.
    sparse_accuracy: float | None = None
    sparse_pixels: int | None = None
    sparse_evaluated_on: int | None = None

    def build(self, n_classes: int | None = None) -> nn.Module:
        """The network on the meta device."""
        with WithoutNumbers():
            return ARCHITECTURES[self.architecture](n_classes or len(self.classes), **self.arguments)


def read_manifest(assets: Path = ASSETS) -> dict[str, Entry]:
    """All entries by the classifier's name; none if there is no manifest."""
    path = assets / MANIFEST
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: Entry(**entry) for name, entry in entries.items()}


def write_entry(name: str, entry: Entry, assets: Path = ASSETS) -> None:
    """Add or replace one entry of the manifest."""
    entries = {other: asdict(known) for other, known in read_manifest(assets).items()}
    entries[name] = asdict(entry)
    (assets / MANIFEST).write_text(json.dumps(dict(sorted(entries.items())), indent=1) + "\n", encoding="utf-8")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def load_bundled(name: str, assets: Path = ASSETS) -> Classifier:
    """A bundled classifier on the CPU, its batch normalisation folded into the convolutions.

    Raises RuntimeError, in one sentence, if it is not in the manifest, or its file is missing or another one.
    """
    entries = read_manifest(assets)
    if name not in entries:
        raise RuntimeError(f"The manifest in {assets} does not know {name}: train it first.")
    entry = entries[name]
    path = assets / entry.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuntimeError(f"The weights of {name} cannot be read from {path}: {error.strerror}.") from error
    if digest(data) != entry.sha256:
        raise RuntimeError(f"The weights of {name} in {path} are damaged: their SHA-256 is not the manifest's.")
    network = entry.build()
    tensors = {
        key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in load_tensors(data).items()
    }
    network.load_state_dict(tensors, assign=True)
    return Classifier(
        fold_batch_norm(network.eval()),
        name=name,
        class_names=entry.classes,
        input_size=tuple(entry.input_size),
        dataset=entry.dataset,
        mean=entry.mean,
        std=entry.std,
        recordable=True,
    )


def bundled_cards(assets: Path = ASSETS) -> list[Card]:
    """One card for every classifier that is in the manifest."""
    entries = read_manifest(assets)
    return [_card(name, entries[name], assets) for name in BUNDLED if name in entries]


def _card(name: str, entry: Entry, assets: Path) -> Card:
    title, architecture, summary = BUNDLED[name]
    return Card(
        name=name,
        title=title,
        dataset=entry.dataset,
        architecture=architecture,
        summary=summary,
        source="bundled",
        input_size=tuple(entry.input_size),
        parameters=entry.parameters,
        load=partial(load_bundled, name, assets),
        build=entry.build,
        accuracy=entry.accuracy,
        robust_accuracy=entry.robust_accuracy,
        eps=entry.eps,
        sparse_accuracy=entry.sparse_accuracy,
        sparse_pixels=entry.sparse_pixels,
    )
