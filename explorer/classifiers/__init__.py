"""The classifiers that can be attacked. Adding one is one entry in CLASSIFIERS."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from explorer.classifiers.bundled import load_bundled
from explorer.classifiers.classifier import Classifier, fold_batch_norm

__all__ = ["CLASSIFIERS", "DEFAULT", "Card", "Classifier", "fold_batch_norm", "list_classifiers", "load_classifier"]


@dataclass(frozen=True)
class Card:
    """What a person needs to know to choose a classifier."""

    name: str
    title: str
    dataset: str  # "signs", "cifar10", "imagenet" or "custom"
    architecture: str
    summary: str  # one sentence
    load: Callable[[str], Classifier] = load_bundled  # from the name, on the CPU


CLASSIFIERS: dict[str, Card] = {
    "signs-resnet": Card(
        name="signs-resnet",
        title="Road signs: ResNet",
        dataset="signs",
        architecture="residual network, 3 blocks",
        summary="A small residual network, trained in the ordinary way: accurate, and easily fooled.",
    ),
    "signs-cnn": Card(
        name="signs-cnn",
        title="Road signs: plain CNN",
        dataset="signs",
        architecture="VGG style, 4 convolutions",
        summary="Convolutions one after another, without shortcuts: the simplest network of the four.",
    ),
    "signs-vit": Card(
        name="signs-vit",
        title="Road signs: vision transformer",
        dataset="signs",
        architecture="vision transformer, 64 patches",
        summary="Cuts the picture into 64 patches and weighs how they relate, however far apart they lie.",
    ),
    "signs-robust": Card(
        name="signs-robust",
        title="Road signs: adversarially trained",
        dataset="signs",
        architecture="residual network, 3 blocks",
        summary="The ResNet again, trained on its own worst cases: it resists faint changes of all pixels.",
    ),
}

DEFAULT = "signs-resnet"


def list_classifiers() -> list[Card]:
    """All cards, in the order in which they are offered."""
    return list(CLASSIFIERS.values())


def load_classifier(name: str, device: str | torch.device = "auto", dtype: torch.dtype = torch.float32) -> Classifier:
    """A classifier by name, frozen and in evaluation mode; "auto" is CUDA, else MPS, else the CPU.

    Each call returns a module of its own. Raises ValueError for an unknown name, RuntimeError for damaged weights.
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"There is no classifier {name!r}; choose one of {', '.join(CLASSIFIERS)}.")
    return CLASSIFIERS[name].load(name).to(device=best_device() if device == "auto" else device, dtype=dtype)


def best_device() -> str:
    """The fastest device that this machine has."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
