"""The classifiers that can be attacked: bundled, torchvision's, and a person's own."""

from pathlib import Path

import torch

from explorer.classifiers.bundled import bundled_cards
from explorer.classifiers.card import Card
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.default import DEFAULT
from explorer.classifiers.downloads import Download
from explorer.classifiers.folding import fold_batch_norm
from explorer.classifiers.imagenet import PREFIX as TORCHVISION
from explorer.classifiers.imagenet import imagenet_card, imagenet_cards, torchvision_names
from explorer.classifiers.own import PREFIX as OWN
from explorer.classifiers.own import SUFFIX, load_own_weights, own_card, own_cards, own_folder
from explorer.classifiers.python import load_python
from explorer.classifiers.registered import PREFIX as PYTHON
from explorer.classifiers.registered import registered_card, registered_cards

__all__ = [
    "CLASSIFIERS",
    "DEFAULT",
    "Card",
    "Classifier",
    "Download",
    "best_device",
    "find_card",
    "fold_batch_norm",
    "list_classifiers",
    "load_classifier",
    "load_own_weights",
    "load_python",
    "registered_cards",
    "torchvision_names",
    "usable_device",
]

# What comes with the project, and the common ones of torchvision; its others go by "torchvision:NAME".
CLASSIFIERS: dict[str, Card] = {card.name: card for card in (*bundled_cards(), *imagenet_cards())}


def list_classifiers() -> list[Card]:
    """All cards, in the order in which they are offered; a person's own, which are looked for each time, at the end."""
    return [*CLASSIFIERS.values(), *own_cards()]


def find_card(name: str, *, paths: bool = True) -> Card:
    """The card of this name: one of CLASSIFIERS, "torchvision:NAME", "own:NAME", in a server one of registered_cards(),
    or, with `paths`, the path of one's own weights: not where a visitor or an uploaded file says the name.

    Raises ValueError with one sentence if there is none.
    """
    if name in CLASSIFIERS:
        return CLASSIFIERS[name]
    if name.startswith(TORCHVISION):
        return imagenet_card(name)
    if name.startswith(PYTHON):
        return registered_card(name)
    if paths and name.endswith(SUFFIX):
        return own_card(Path(name))
    if name.startswith(OWN) and Path(name).name == name:
        return own_card(own_folder() / f"{name.removeprefix(OWN)}{SUFFIX}")
    raise ValueError(
        f"There is no classifier {name[:80]!r}; choose one of {', '.join(CLASSIFIERS)}, {TORCHVISION}NAME, {OWN}NAME, "
        f"or the path of a {SUFFIX} file."
    )


def load_classifier(name: str, device: str | torch.device = "auto", dtype: torch.dtype = torch.float32) -> Classifier:
    """A classifier by name, frozen and in evaluation mode; "auto" is CUDA, else MPS, else the CPU.

    Each call returns a module of its own; nothing is ever downloaded. Raises ValueError for an unknown name, a device
    that is not there or one's own weights that do not fit, RuntimeError for weights that are missing or damaged: each
    with one sentence.
    """
    card, device = find_card(name), usable_device(device)
    return card.load().to(device=device, dtype=dtype)


def usable_device(device: str | torch.device) -> str | torch.device:
    """The device, "auto" resolved. Raises ValueError with one sentence if this machine has none such."""
    device = best_device() if device == "auto" else device
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:  # what torch raises depends on how it was built
        raise ValueError(f"There is no device {str(device)!r} here: auto, cpu, cuda or mps is expected.") from error
    return device


def best_device() -> str:
    """The fastest device that this machine has."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
