"""What a study was made by, in a file beside its table: another version's, network's or attack's rows never get in."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import explorer
from explorer.attacks import Attack
from explorer.studies.dataset.pictures import Gathered
from explorer.studies.dataset.study import labels_sha256
from explorer.studies.plan import code_sha256

Record = dict[str, Any]
WORDS = {
    "version": "another version of this program",
    "code": "another version of the attack's code",
    "labels": "another version of the code that labels pixels",
    "torch": "another version of torch",
    "networks": "other networks, or others of their names",
    "attack": "another attack",
    "settings": "other settings",
    "method": "another method that labels pixels",
    "pictures": "other pictures",
    "seed": "another seed",
}


def record_of(gathered: Sequence[Gathered], attack: Attack, method: str, pictures: str, seed: int) -> Record:
    """What decides over a study's rows; `pictures` says where they come from."""
    return {
        "version": explorer.__version__,
        "code": code_sha256(),
        "labels": labels_sha256(),
        "torch": torch.__version__,
        "networks": {each.subject.name: each.subject.network_sha256 for each in gathered},
        "attack": type(attack).__name__,
        "settings": dataclasses.asdict(attack),
        "method": method,
        "pictures": pictures,
        "seed": seed,
    }


def check_record(path: Path, record: Record) -> None:
    """Raises ValueError with one sentence if `path` holds the record of another study, or is no record at all."""
    if not path.exists():
        return
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        other = [words for name, words in WORDS.items() if known[name] != json.loads(json.dumps(record[name]))]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is no record of a study: name another folder, or move it away.") from None
    if other:
        raise ValueError(
            f"{path.parent} holds a study made with {' and '.join(other)}, and rows of two are never mixed: name "
            "another folder, or forget that one with --restart."
        )


def written_record(record: Record) -> bytes:
    """The record as the content of its file."""
    return json.dumps(record, indent=1, ensure_ascii=False).encode()
