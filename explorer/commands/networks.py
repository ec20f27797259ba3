"""The network that a command works on: a classifier by name, or a person's own."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from explorer import user_code
from explorer.classifiers import Classifier, load_classifier, load_python, python, usable_device
from explorer.classifiers.class_names import find_class
from explorer.pipeline import one_line
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
            print(one_line(f"{name}: {clf.remark}", "?"), file=sys.stderr)  # names of tensors are in it
        return clf
    return load_python(name, device)


def as_classifier(network: nn.Module, name: str, image: Image) -> Classifier:
    """The network with all that a Classifier knows, see explorer.classifiers.python; where it does not say what size
    of pictures it takes, it is that of `image`.
    """
    return python.as_classifier(network, Path(name.rpartition(":")[0]).stem, tuple(image.shape[1:]))


def class_index(text: str, class_names: Sequence[str]) -> int:
    """The class of exactly this name, or else of this name in any case, or else of this index.

    Raises ValueError with one sentence if there is none, or if several have the name.
    """
    found = find_class(text, class_names, str.casefold)
    if found is not None:
        return found
    if text.isdecimal() and len(text) < 10 and int(text) < len(class_names):
        return int(text)
    some = ", ".join(class_names[:20]) + (", …" if len(class_names) > 20 else "")
    raise ValueError(f"There is no class {text[:80]!r}: 0 to {len(class_names) - 1} is expected, or a name: {some}.")
