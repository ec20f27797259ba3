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
    robust_accuracy: float | None  # the same under PGD-20 within 4/255; None where it was not measured
    parameters: int
    command: str  # what trained it
    sha256: str
    source: str
    licence: str


def read_manifest(assets: Path = ASSETS) -> dict[str, Entry]:
    """All entries by the classifier's name."""
    return {name: Entry(**entry) for name, entry in json.loads((assets / MANIFEST).read_text()).items()}


def write_entry(name: str, entry: Entry, assets: Path = ASSETS) -> None:
    """Add or replace one entry of the manifest."""
    path = assets / MANIFEST
    entries = json.loads(path.read_text()) if path.exists() else {}
    entries[name] = asdict(entry)
    path.write_text(json.dumps(dict(sorted(entries.items())), indent=1) + "\n")


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
    network.load_state_dict(load_tensors(data), assign=True)
    return Classifier(
        fold_batch_norm(network.eval()),
        name=name,
        class_names=entry.classes,
        input_size=tuple(entry.input_size),
        dataset=entry.dataset,
        mean=entry.mean,
        std=entry.std,
    )
