"""Results that come with the project: the default run on the bundled signs, and how its count answers to a, λ and τ.

`python -m tests.ship_results` makes them. Each is kept under the fingerprint of network, picture and settings, so one
that no longer belongs to anything is never found. Pictures are exact; the attack's curve and its weights are rounded to
half precision, the numbers of the labels to six digits.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.evidence.kept import evidence_of, evidence_record
from explorer.folders import ASSETS
from explorer.grid import to_grid
from explorer.hashes import image_sha256, network_sha256
from explorer.images import to_uint8
from explorer.packing import all_rounded, columns_of, pack_changes, rounded, spread, squeezed, unpack_changes
from explorer.pipeline.exploration import Exploration
from explorer.pipeline.playback import Film, Frame
from explorer.pipeline.response import Point, along
from explorer.types import AttackResult, Image, Trace

FOLDER = ASSETS / "shipped"
Record = dict[str, Any]


def key_of(kind: str, network: str, picture: str, attack: Attack) -> str:
    """Fingerprint of one entry: `kind` is "run" or the knob of a response, `network` and `picture` are fingerprints."""
    known = json.dumps([kind, network, picture, repr(attack)])
    return hashlib.sha256(known.encode()).hexdigest()[:24]


@lru_cache(maxsize=64)
def fingerprint(clf: Classifier) -> str:
    """Of a network that is loaded: of its numbers, and of what its answers are called."""
    return hashlib.sha256(f"{network_sha256(clf)}{clf.class_names}".encode()).hexdigest()


def find_run(clf: Classifier, image: Image, attack: Attack) -> Exploration | None:
    """The whole exploration of this run, any wrong class, everywhere, labelled by the default method; if it is there.

    Its `true_label` is unknown: the caller may know it.
    """
    record = _entry(clf, image, "run", attack)
    return None if record is None else _exploration(record, clf, image, attack)


def find_response(clf: Classifier, image: Image, attack: Attack, knob: str) -> tuple[Point, ...] | None:
    """How the count answers to this knob, all others as in `attack`; if it is there."""
    record = _entry(clf, image, knob, along(attack, knob))
    return None if record is None else tuple(Point(*each) for each in record["points"])


def find_film(clf: Classifier, image: Image, attack: Attack) -> Film | None:
    """The film of this run, up to its last stage; the first picture of the page has one."""
    record = _entry(clf, image, "film", attack)
    if record is None:
        return None
    frames = tuple(
        Frame(stage, step, *(column.numpy() for column in columns_of(changed)))
        for stage, step, _, changed in record["frames"]
    )
    return Film(to_uint8(to_grid(image.cpu())), frames, tuple(margin for _, _, margin, _ in record["frames"]))


def film_record(film: Film, clf: Classifier, image: Image, attack: Attack) -> Record:
    """A film as an entry."""
    frames = zip(film.frames, film.margins, strict=True)
    return {
        "key": key_of("film", fingerprint(clf), image_sha256(image), attack),
        "frames": [
            [
                frame.stage,
                frame.step,
                rounded(margin),
                squeezed(torch.from_numpy(frame.where), torch.from_numpy(frame.colours)),
            ]
            for frame, margin in frames
        ],
    }


def run_record(exploration: Exploration, clf: Classifier) -> Record:
    """A default exploration as an entry."""
    each, result = exploration, exploration.result
    where = result.weights[0].nonzero()[:, 0]
    return {
        "key": key_of("run", fingerprint(clf), image_sha256(each.image), each.attack),
        "label": each.label,
        "after_label": each.adversarial_label,
        "before": all_rounded(each.before),
        "after": all_rounded(each.after),
        "stages": {name: pack_changes(each.image, images[0]) for name, images in result.stages.items()},
        "trace": squeezed(
            result.trace.margin[:, 0].half(), result.trace.n_pixels[:, 0].int(), result.trace.loss[:, 0].half()
        ),
        "weights": squeezed(where.int(), result.weights[0, where].half()),
        "units": result.weights.shape[1],
        **evidence_record(each.evidence),
    }


def response_record(clf: Classifier, image: Image, attack: Attack, knob: str, points: Iterable[Point]) -> Record:
    """One knob's response as an entry."""
    return {
        "key": key_of(knob, fingerprint(clf), image_sha256(image), along(attack, knob)),
        "points": [[p.value, p.n_pixels, p.fooled, round(p.confidence, 3)] for p in points],
    }


def write(name: str, records: Iterable[Record], folder: Path = FOLDER) -> None:
    """All entries of one network, in the place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def read(name: str, folder: Path = FOLDER) -> dict[str, Record]:
    """All entries of one network by their keys; none if nothing was made for it."""
    file = folder / f"{name}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {record["key"]: record for record in map(json.loads, lines)}


_entries = lru_cache(maxsize=64)(read)


def has(name: str) -> bool:
    """Whether anything came with the project for the network of this name."""
    return bool(_entries(name))


def _entry(clf: Classifier, image: Image, kind: str, attack: Attack) -> Record | None:
    entries = _entries(clf.name)
    return entries.get(key_of(kind, fingerprint(clf), image_sha256(image), attack)) if entries else None


def _exploration(record: Record, clf: Classifier, image: Image, attack: Attack) -> Exploration:
    clean = to_grid(image.cpu())
    stages = {name: unpack_changes(clean, packed)[None] for name, packed in record["stages"].items()}
    stage = list(stages)[-1]
    adversarial = stages[stage]
    labels, seen = torch.tensor([record["label"]]), torch.tensor([record["after_label"]])
    margin, n_pixels, loss = spread(record["trace"], "<f2", "<i4", "<f2")
    where, values = spread(record["weights"], "<i4", "<f2")
    weights = torch.zeros(1, record["units"])
    weights[0, where.long()] = values.float()
    result = AttackResult(
        images=clean[None],
        labels=labels,
        targets=None,
        adversarial=adversarial,
        adversarial_labels=seen,
        succeeded=seen != labels,
        stages=stages,
        trace=Trace(margin.float()[:, None], n_pixels.long()[:, None], loss.float()[:, None]),
        weights=weights,
    )
    return Exploration(
        network=clf.name,
        dataset=clf.dataset,
        class_names=tuple(clf.class_names),
        attack=attack,
        true_label=None,
        label=record["label"],
        target=None,
        result=result,
        stage=stage,
        image=clean,
        adversarial=adversarial[0],
        adversarial_label=record["after_label"],
        before=torch.tensor(record["before"]),
        after=torch.tensor(record["after"]),
        evidence=evidence_of(record, clean, adversarial[0], record["label"], DEFAULT_METHOD),
        attack_seconds=0.0,  # what it took elsewhere says nothing of this computer
        evidence_seconds=0.0,
    )
