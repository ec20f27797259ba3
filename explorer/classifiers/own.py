"""A person's own weights for a known architecture: a safetensors file, and a description of what it means.

The description is a JSON file of the same name beside the weights, so that cat.safetensors has cat.json:

    {"architecture": "mobilenet_v2", "classes": ["cat", "no cat"], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
     "input_size": [224, 224]}

`architecture` is a name of torchvision.models, or that of a bundled classifier, whose architecture is meant. All else
may be left out: `classes` can also be the name of a data set (a key of DATA_SETS), and is ImageNet's by default,
`mean`, `std` and `input_size` are torchvision's for ImageNet, or the bundled classifier's. "rotated": true is for
weights whose kernels were stored turned by 180 degrees, as conversions from other libraries do: the picture is turned
before the network.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision import models

from explorer.classifiers import imagenet
from explorer.classifiers.bundled import read_manifest
from explorer.classifiers.card import Card
from explorer.classifiers.class_names import checked
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.folding import fold_batch_norm
from explorer.classifiers.matching import match
from explorer.classifiers.tensors import MAX_BYTES, read_tensors
from explorer.folders import visible
from explorer.hashes import stamp
from explorer.samples import DATA_SETS, ImageNet, data_set_of
from explorer.types import Images, Logits

VARIABLE = "EXPLORER_MODELS"  # the folder of one's own weights
PREFIX = "own:"  # of their names
SUFFIX = ".safetensors"
MAX_SIDE = 1024
MAX_DESCRIPTION = 10 * 10**6  # bytes
KEYS = ("architecture", "classes", "mean", "std", "input_size", "rotated")


class Rotated(nn.Module):
    """A network that is shown the picture turned by 180 degrees."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Images) -> Logits:
        return self.network(x.flip(2, 3))


def load_own_weights(
    source: bytes | Path,
    architecture: str,
    class_names: Sequence[str] | str = ImageNet.name,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_size: tuple[int, int] | None = None,
    *,
    rotated: bool = False,
    name: str = "own",
    max_bytes: int = MAX_BYTES,
) -> Classifier:
    """A classifier on the CPU from a safetensors file, or its content: see the head of this file for the arguments.
    Names of tensors may differ as explorer.classifiers.matching says; the classifier's `remark` tells how they did.

    Raises ValueError with one sentence if anything does not fit.
    """
    names, dataset = _classes(class_names)
    skeleton, defaults = _architecture(architecture, len(names))
    mean, std, size = (
        default if given is None else given for given, default in zip((mean, std, input_size), defaults, strict=True)
    )
    _check(mean, std, size)
    fitting = match(read_tensors(source, max_bytes), skeleton)
    skeleton.load_state_dict(fitting.tensors, assign=True)
    network = fold_batch_norm(skeleton.eval())
    classifier = Classifier(
        Rotated(network) if rotated else network,
        name=name,
        class_names=names,
        input_size=tuple(size),
        dataset=dataset,
        mean=list(mean),
        std=list(std),
        remark=fitting.remark,
        mapped=fitting.mapped,
    )
    _works(classifier, architecture)
    return classifier


def own_folder() -> Path:
    """Where one's own weights are looked for: the folder that EXPLORER_MODELS names, else `models` here."""
    return Path(os.environ.get(VARIABLE) or "models")


def own_cards(folder: Path | None = None) -> list[Card]:
    """One card for every file of weights in the folder whose description makes sense."""
    cards = []
    folder = folder or own_folder()
    for path in visible(folder) if folder.is_dir() else []:
        if path.suffix != SUFFIX:
            continue
        try:
            cards.append(own_card(path))
        except ValueError:
            continue  # load_classifier says what is wrong with it
    return cards


def own_card(path: Path) -> Card:
    """What is known of a file of weights from its description. Raises ValueError with one sentence."""
    if not path.is_file():
        raise ValueError(f"There is no file {path}: one's own weights, a safetensors file, are expected.")
    known = _card(path, stamp(path.with_suffix(".json")))
    if isinstance(known, str):
        raise ValueError(known)
    return known


@lru_cache(maxsize=1024)
def _card(path: Path, _stamp: tuple[int, int] | None) -> Card | str:
    """The card, or what is wrong with it: read once for each state of the description, however often it is asked for,
    as a page does with all of them whenever it is drawn.
    """
    try:
        return _read_card(path)
    except ValueError as error:
        return str(error)


def _read_card(path: Path) -> Card:
    if not path.stem.isprintable():
        raise ValueError(f"The file {path.name!a} has letters in its name that cannot be shown: give it another one.")
    options = _description(path)
    names, dataset = _classes(options.get("classes", ImageNet.name))
    architecture = options["architecture"]
    skeleton, (mean, std, size) = _architecture(architecture, len(names))
    size = options.get("input_size", size)
    _check(options.get("mean", mean), options.get("std", std), size)
    return Card(
        name=f"{PREFIX}{path.stem}",
        title=f"Own: {path.stem}",
        dataset=dataset,
        architecture=architecture,
        summary=f"Your own weights, from {path}.",
        source="own",
        input_size=tuple(size),
        parameters=sum(parameter.numel() for parameter in skeleton.parameters()),
        load=partial(load_described, path),
        build=lambda: _architecture(architecture, len(names))[0],
        files=(path, path.with_suffix(".json")),
    )


def load_described(path: Path) -> Classifier:
    """The classifier of a safetensors file with its description beside it. Raises ValueError with one sentence."""
    description = _description(path)
    try:
        return load_by_description(path, description, f"{PREFIX}{path.stem}")
    except OSError as error:
        raise ValueError(f"The weights cannot be read from {path}: {error.strerror}.") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def load_by_description(source: bytes | Path, description: Mapping[str, Any], name: str) -> Classifier:
    """The classifier of weights, in a file or as its content, that a description tells of: see the head of this file.
    Raises ValueError with one sentence if anything does not fit.
    """
    options = {**description}
    return load_own_weights(source, class_names=options.pop("classes", ImageNet.name), name=name, **options)


def _description(path: Path) -> dict:
    beside = path.with_suffix(".json")
    try:
        with beside.open("rb") as file:
            options = json.loads(file.read(MAX_DESCRIPTION))
    except OSError as error:
        raise ValueError(
            f'The weights need a description: {beside} cannot be read. It is to hold {{"architecture": NAME}} at least.'
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{beside} is no valid JSON.") from error
    if not isinstance(options, dict) or not isinstance(options.get("architecture"), str) or {*options} - {*KEYS}:
        raise ValueError(f"{beside} is to name the architecture, and nothing but {', '.join(KEYS)}.")
    if not isinstance(options.get("rotated", False), bool):
        raise ValueError(f'"rotated" is true or false in {beside}.')
    return options


def _classes(given: Sequence[str] | str) -> tuple[list[str], str]:
    """The names, and the data set that they are the classes of."""
    if isinstance(given, str):
        if given not in DATA_SETS:
            raise ValueError(f"The classes are a list of names, or one of {', '.join(DATA_SETS)}; got {given[:80]!r}.")
        return list(DATA_SETS[given].classes), given
    given = checked(given)
    return given, data_set_of(given)


def _architecture(name: str, n_classes: int) -> tuple[nn.Module, tuple]:
    """The network on the meta device, and the mean, std and input size that are usual for it."""
    bundled = read_manifest()
    if name in bundled:
        entry = bundled[name]
        return entry.build(n_classes), (entry.mean, entry.std, entry.input_size)
    if name in models.list_models(module=models):
        size = imagenet.imagenet_card(f"{imagenet.PREFIX}{name}").input_size
        network = imagenet.without_auxiliary(imagenet.build(name, n_classes))
        return network, (ImageNet.mean, ImageNet.std, size)
    raise ValueError(
        f"There is no architecture {name[:80]!r}: a name of torchvision.models, such as resnet18, or of a bundled "
        f"classifier is expected: {', '.join(bundled)}."
    )


def _check(mean: object, std: object, size: object) -> None:
    for what, values, low in (("mean", mean, 0.0), ("std", std, 1e-3)):
        if not _numbers(values, 3, (int, float)) or not all(low <= value <= 1 for value in values):
            raise ValueError(f"{what} is three numbers from {low:g} to 1, one per channel; got {str(values)[:80]}.")
    if not _numbers(size, 2, int) or not all(8 <= side <= MAX_SIDE for side in size):
        raise ValueError(f"input_size is the height and width, from 8 to {MAX_SIDE} pixels; got {str(size)[:80]}.")


def _numbers(values: object, n: int, kind: type | tuple[type, ...]) -> bool:
    return (
        isinstance(values, list | tuple)
        and len(values) == n
        and all(isinstance(value, kind) and not isinstance(value, bool) for value in values)
    )


def _works(classifier: Classifier, architecture: str) -> None:
    """Look at one grey picture. Raises ValueError with one sentence if that does not give finite logits."""
    height, width = classifier.input_size
    try:
        with torch.no_grad():
            logits = classifier(torch.full((1, 3, height, width), 0.5))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        raise ValueError(f"{architecture} cannot take pictures of {width} × {height} pixels.") from error
    if not logits.isfinite().all():
        raise ValueError(f"The weights make no working {architecture}: its logits are not finite.")
