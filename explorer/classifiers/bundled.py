"""The classifiers that come with the project: weights in assets/, described by assets/classifiers.json."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors

from explorer.classifiers.classifier import Classifier, fold_batch_norm
from explorer.classifiers.networks import ARCHITECTURES

ASSETS = Path(__file__).parents[2] / "assets"
MANIFEST = "classifiers.json"


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


def read_manifest(assets: Path = ASSETS) -> dict[str, Entry]:
    """All entries by the classifier's name; none if there is no manifest."""
    path = assets / MANIFEST
    return {name: Entry(**entry) for name, entry in json.loads(path.read_text()).items()} if path.exists() else {}


def write_entry(name: str, entry: Entry, assets: Path = ASSETS) -> None:
    """Add or replace one entry of the manifest."""
    entries = {other: asdict(known) for other, known in read_manifest(assets).items()}
    entries[name] = asdict(entry)
    (assets / MANIFEST).write_text(json.dumps(dict(sorted(entries.items())), indent=1) + "\n")


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
    with torch.device("meta"):  # draws no random weights, which would advance the caller's generator
        network = ARCHITECTURES[entry.architecture](len(entry.classes), **entry.arguments)
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
    )
