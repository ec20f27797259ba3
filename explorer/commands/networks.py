"""The network that a command works on: a classifier by name, or a person's own."""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import torch
from torch import nn

from explorer.classifiers import Classifier, best_device, load_classifier
from explorer.classifiers.class_names import checked
from explorer.commands import user_code
from explorer.types import Image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a network and where it runs."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="a classifier (see `list`); torchvision:NAME, any other of torchvision.models; FILE.safetensors, your own "
        "weights, with a description beside them (see README); or FILE.py:FUNCTION: a function of your own that "
        "returns a torch module from RGB images in [0, 1] to logits; the module may carry class_names and input_size "
        "= (height, width)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def load_network(name: str, device: str) -> nn.Module:
    """The network, frozen, in evaluation mode and on its device. Raises ValueError with one sentence."""
    device = usable_device(device)
    if not user_code.is_code(name):
        try:
            clf = load_classifier(name, device=device)
        except RuntimeError as error:  # missing or damaged weights, in a sentence as well
            raise ValueError(str(error)) from error
        if clf.remark:
            print(f"{name}: {clf.remark}", file=sys.stderr)
        return clf
    network = user_code.call(name)
    if not isinstance(network, nn.Module):
        raise ValueError(f"{name} must return a torch module; got {type(network).__name__}.")
    return network.to(device).eval().requires_grad_(False)


def as_classifier(network: nn.Module, name: str, image: Image) -> Classifier:
    """The network with all that a Classifier knows. A person's own has its class_names and input_size where it carries
    them; otherwise its classes are numbered and it takes pictures of the size of `image`.
    """
    if isinstance(network, Classifier):
        return network
    size = tuple(getattr(network, "input_size", image.shape[1:]))
    n_classes = count_classes(network, size)
    names = checked(list(getattr(network, "class_names", map(str, range(n_classes)))))
    if len(names) != n_classes:
        raise ValueError(f"The network carries {len(names)} class_names, but returns {n_classes} logits.")
    title = Path(name.rpartition(":")[0]).stem
    return Classifier(
        network, name=title, class_names=names, input_size=size, dataset="custom", mean=[0.0] * 3, std=[1.0] * 3
    ).to(device_of(network))


def count_classes(network: nn.Module, size: tuple[int, int]) -> int:
    """How many logits it returns for a picture of `size` = (height, width). ValueError if it cannot take one."""
    height, width = size
    try:
        with torch.no_grad():
            return network(torch.zeros(1, 3, height, width, device=device_of(network))).shape[1]
    except (RuntimeError, ValueError, IndexError, AttributeError, TypeError) as error:  # whatever its author wrote
        raise ValueError(f"The network cannot take a picture of {width} × {height} pixels: {error}") from error


def device_of(network: nn.Module) -> torch.device:
    """Where its weights are."""
    return next((tensor.device for tensor in chain(network.parameters(), network.buffers())), torch.device("cpu"))


def usable_device(name: str) -> str:
    """The device of this name, "auto" resolved. Raises ValueError if this machine has none such."""
    name = best_device() if name == "auto" else name
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # what torch raises depends on how it was built
        raise ValueError(f"There is no device {name!r} here: auto, cpu, cuda or mps is expected.") from error
    return name


def class_index(text: str, class_names: Sequence[str]) -> int:
    """The class of exactly this name, or else of this name in any case, or else of this index.

    Raises ValueError with one sentence if there is none, or if several have the name.
    """
    found = match(text, class_names, str.casefold)
    if found is not None:
        return found
    if text.isdecimal() and len(text) < 10 and int(text) < len(class_names):
        return int(text)
    some = ", ".join(class_names[:20]) + (", …" if len(class_names) > 20 else "")
    raise ValueError(f"There is no class {text[:80]!r}: 0 to {len(class_names) - 1} is expected, or a name: {some}.")


def match(text: str, class_names: Sequence[str], fold: Callable[[str], str]) -> int | None:
    """The class of exactly this name, else of the name that is the same once both are folded; None if there is none.

    Raises ValueError with one sentence, which lists them, if several have it.
    """
    found: list[int] = []
    for folded in (str, fold):
        found = found or [index for index, name in enumerate(class_names) if folded(name) == folded(text)]
    if len(found) > 1:
        listed = ", ".join(f"{index} ({class_names[index]})" for index in found[:10])
        raise ValueError(f"{text[:80]!r} is the name of several classes: one of {listed} is expected.")
    return found[0] if found else None
