"""What a study is to do: settings, and the fingerprint by which a run of one setting on one picture is known again."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any, Protocol

import torch

from explorer.attacks import Attack
from explorer.hashes import rooms_sha256
from explorer.types import AttackResult, Images, Labels, Network, OnStep

CODE = ("adapter", "exact", "frozen", "grid", "numerics")  # what decides over a run, beside attacks and defences
KEPT_PIXELS = 1024  # pictures with more changed pixels are not kept


class Setting(Protocol):
    """What a study asks of an attack with its settings: a frozen dataclass of plain values, called as Attack is. Ours
    are such, and what wraps those of other libraries.
    """

    per_image: Sequence[str]  # fields that may be tensors (b,): one setting per image
    has_weights: bool

    def __call__(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None = None,
        on_step: OnStep | None = None,
    ) -> AttackResult:
        """See Attack."""
        ...


@dataclasses.dataclass(frozen=True)
class Terms:
    """What all runs of a study have in common."""

    mixed: bool = True  # settings that may differ from image to image go through the network together
    png: bool = False  # the attacked picture is saved, read back, and shown to the network again
    kept_pixels: int = KEPT_PIXELS  # pictures with at most so many changed pixels are kept in their rows


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


def shared(setting: Setting) -> Setting:
    """What all settings of one batch must have in common: everything but the knobs that may differ per image."""
    return dataclasses.replace(setting, **{name: getattr(type(setting), name) for name in setting.per_image})


def described(setting: Setting) -> dict[str, Any]:
    """The columns of a row that say which attack it was, and with which settings."""
    return {"attack": type(setting).__name__, **dataclasses.asdict(setting)}


def run_key(
    setting: Setting,
    picture: str,
    label: int,
    network: str,
    terms: Terms = Terms(),
    build: str = torch.__version__,
) -> str:
    """Fingerprint of one run: its attack, settings, picture, class, network and terms, and the version."""
    known = [described(setting), picture, label, network, dataclasses.astuple(terms), version(build)]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]


@cache
def code_sha256() -> str:
    """Fingerprint of the code that decides over a run: what an older version found is not taken for this one's."""
    return rooms_sha256("attacks", "defences", "studies/measures", *CODE)


def version(build: str = torch.__version__) -> str:
    """Whose work a run is: the code, and torch."""
    return f"{code_sha256()[:12]}, torch {build}"
