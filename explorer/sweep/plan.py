"""What a sweep is to do: settings, and the fingerprint by which a run of one setting on one picture is known again."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import torch

from explorer.attacks import Attack
from explorer.hashes import rooms_sha256


def grid(base: Attack, values: Mapping[str, Sequence[Any]]) -> list[Attack]:
    """`base` with every combination of `values` by the names of the knobs; the last knob changes fastest.

    Raises ValueError on an unknown knob, on a bad value and on a knob without values.
    """
    known = {field.name for field in dataclasses.fields(base)}
    for name, of in values.items():
        if name not in known:
            raise ValueError(f"There is no setting {name!r}: one of {', '.join(sorted(known))} is expected.")
        if not of:
            raise ValueError(f"{name} has no value to try.")
    return [dataclasses.replace(base, **dict(zip(values, some, strict=True))) for some in product(*values.values())]


def shared(setting: Attack) -> Attack:
    """What all settings of one batch must have in common: everything but the knobs that may differ per image."""
    return dataclasses.replace(setting, **{name: getattr(type(setting), name) for name in setting.per_image})


def run_key(setting: Attack, picture: str, label: int, network: str, build: str = torch.__version__) -> str:
    """Fingerprint of one run: its attack, settings, picture, class and network, the attack's code, torch's version."""
    asked = type(setting).__name__, dataclasses.asdict(setting)
    known = [*asked, picture, label, network, code_sha256(), build]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]


@cache
def code_sha256() -> str:
    """Fingerprint of the attack's code: what an older version found is not taken for this one's."""
    return rooms_sha256("attacks", "adapter", "exact", "frozen", "grid", "numerics")
