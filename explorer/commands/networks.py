"""The network that a command works on: a classifier by name, or a person's own."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import torch
from torch import nn

from explorer.adapter import Adapted, adapted
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
        "returns a torch module (or any function) from RGB images in [0, 1] to logits; it may carry class_names and "
        "input_size = (height, width)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def load_network(name: str, device: str) -> nn.Module:
    """The network, frozen, in evaluation mode and on its device. Raises ValueError with one sentence."""
    device = usable_device(device)
    if name.endswith(".py"):
        raise ValueError(f"{name} must name the function that returns the network as well, such as {name}:load.")
    if not user_code.is_code(name):
        try:
            clf = load_classifier(name, device=device)
        except RuntimeError as error:  # missing or damaged weights, in a sentence as well
            raise ValueError(str(error)) from error
        if clf.remark:
            print(f"{name}: {clf.remark}", file=sys.stderr)
        return clf
    return _own(user_code.call(name), name, device)


def _own(network: object, name: str, device: str) -> nn.Module:
    """A person's network behind the border: a module, or any function of pictures, which is a black box."""
    if not callable(network):
        raise ValueError(f"{name} must return a torch module, or a function of pictures; got {type(network).__name__}.")
    if isinstance(network, nn.Module):
        network = network.to(device).requires_grad_(False)
        with suppress(NotImplementedError):  # of an exported program: its mode is part of its graph
            network.eval()
    wrapped = Adapted(network, copies=True, one_by_one=False)
    size = getattr(network, "input_size", None)
    if size is not None:
        wrapped.input_size = _size(size)
        wrapped.one_by_one = getattr(adapted(wrapped, _blank(wrapped, wrapped.input_size))[0], "one_by_one", False)
    names = getattr(network, "class_names", None)
    if names is not None:
        wrapped.class_names = _names(names)
    return wrapped


def _size(size: object) -> tuple[int, int]:
    """An input_size of (height, width), or of one number for both."""
    sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list | tuple) else ()
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"input_size must be (height, width), or one number for both; got {size!r}.")
    return sides


def _names(names: object) -> list[str]:
    """A list of class_names, or a dict of them by index."""
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ValueError(f"class_names must be a list, or a dict by 0 to {len(names) - 1}; got other keys.")
        names = [names[index] for index in range(len(names))]
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ValueError(f"class_names must be a list of names; got {type(names).__name__}.")
    return list(names)


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
    return adapted(network, _blank(network, size))[1]


def _blank(network: nn.Module, size: tuple[int, int]) -> torch.Tensor:
    return torch.zeros(1, 3, *size, device=device_of(network))


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
