"""Rendered signs that come with the project attacked and labelled: the Ground truth page opens with them.
`python -m tests.ship_results` makes them. They count for the same network, attack, method, signs and code.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.evidence.kept import evidence_of, evidence_record
from explorer.folders import ASSETS
from explorer.hashes import image_sha256, network_sha256, rooms_sha256
from explorer.images import from_uint8
from explorer.packing import pack_changes, unpack_changes
from explorer.samples.renders import UNSEEN_SEEDS
from explorer.signs import Scene, render
from explorer.studies.plan import CODE
from explorer.studies.trials import SignTrial

FOLDER = ASSETS / "shipped" / "signs"
FIRST_SEED = UNSEEN_SEEDS + 500_000_000  # of scenes that no network has been trained or measured on
SIGNS = 6  # that the page opens with
Record = dict[str, Any]


@lru_cache(maxsize=8)
def find_signs(clf: Classifier, attack: Attack, method: str, n: int, first: int) -> list[SignTrial] | None:
    """The trials of `n` signs from the seed `first` on, if they came with the project."""
    for record in _records(FOLDER):
        if record["network"] == clf.name and record["key"] == key_of(clf, attack, method, n, first):
            trials = [_trial(each, method) for each in record["signs"]]
            same = (image_sha256(t.image) == each["picture"] for t, each in zip(trials, record["signs"], strict=True))
            return trials if all(same) else None  # drawn as it was there
    return None


def signs_record(
    clf: Classifier, attack: Attack, method: str, n: int, first: int, trials: Sequence[SignTrial]
) -> Record:
    """Such trials as a line of a file: the scenes are drawn again, the changed pixels are kept."""
    signs = [
        {
            "scene": dataclasses.asdict(trial.scene),
            "picture": image_sha256(trial.image),
            "changes": pack_changes(trial.image, trial.adversarial),
            "label": trial.evidence.label,
            **evidence_record(trial.evidence),
        }
        for trial in trials
    ]
    return {"network": clf.name, "key": key_of(clf, attack, method, n, first), "signs": signs}


def write(record: Record, folder: Path = FOLDER) -> None:
    """Keep it, in the place of the one that this network had."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, separators=(",", ":")) + "\n"
    (folder / f"{record['network']}.json").write_text(text, encoding="utf-8")


def key_of(clf: Classifier, attack: Attack, method: str, n: int, first: int) -> str:
    """Fingerprint of all that decides what comes out."""
    asked = json.dumps([network_sha256(clf), repr(attack), method, n, first, _code()])
    return hashlib.sha256(asked.encode()).hexdigest()[:24]


@cache
def _code() -> str:
    return rooms_sha256("attacks", "evidence", "signs", *CODE, "studies/trials")


@cache
def _records(folder: Path) -> list[Record]:
    files = sorted(folder.glob("*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def _trial(record: Record, method: str) -> SignTrial:
    scene, label = Scene(**record["scene"]), record["label"]
    image = from_uint8(render(label, scene))
    adversarial = unpack_changes(image, record["changes"])
    return SignTrial(scene, image, adversarial, evidence_of(record, image, adversarial, label, method))
