"""A picture that remembers how it was attacked: a PNG file of the clean picture with the settings as text inside.

Every program shows it as the picture that it is; the page puts the settings back as well. Nothing in it is run, and
nothing is unpacked but the picture, within the limits of all pictures.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import find_card
from explorer.classifiers.class_names import distinct
from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.images import to_png, with_pixels
from explorer.images.png import text_of, with_text
from explorer.knobs import knobs
from explorer.pipeline.address import name_of
from explorer.pipeline.exploration import Exploration
from explorer.pipeline.exports import picture_sha256, pixels_sha256
from explorer.regions import Region

KEYWORD = "sparse-attack-explorer"
FORMAT = 1
FIELDS = ("format", "network", "attack", "settings", "target", "true", "method", "optimised", "region", "picture")


@dataclass(frozen=True)
class Settings:
    """How a picture was attacked, checked."""

    network: str
    attack: Attack
    target: str | None  # names of classes, told apart
    true: str | None
    method: str
    optimised: bool  # shown without the later stages
    region: Region | None
    picture: str  # SHA-256 of its pixels


def remembered(exploration: Exploration) -> Settings:
    """How a run was made."""
    each, names = exploration, distinct(exploration.class_names)
    return Settings(
        network=each.network,
        attack=each.attack,
        target=None if each.target is None else names[each.target],
        true=None if each.true_label is None else names[each.true_label],
        method=each.evidence.method if each.evidence else DEFAULT_METHOD,
        optimised=each.stage == "optimised" and len(each.result.stages) > 1,
        region=each.region,
        picture=picture_sha256(each.image),
    )


def restorable(exploration: Exploration) -> bytes:
    """The clean picture of a run, as a PNG file, with its settings."""
    known = vars(settings := remembered(exploration)) | {
        "format": FORMAT,
        "attack": name_of(settings.attack),
        "settings": dataclasses.asdict(settings.attack),
        "region": None if settings.region is None else settings.region.text,
    }
    return with_text(to_png(exploration.image), KEYWORD, json.dumps({name: known[name] for name in FIELDS}))


def settings_of(content: bytes) -> Settings | None:
    """What such a file remembers; None for any other file. Raises ValueError with one sentence if it is damaged, was
    changed, or is about a network that is not known here.
    """
    try:
        text = text_of(content, KEYWORD)
        known = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("The settings in this file are damaged: only its picture is used.") from None
    if text is None:
        return None
    if not isinstance(known, dict) or {*known} != {*FIELDS} or known["format"] != FORMAT:
        raise ValueError("The settings in this file are of another version of this program: only its picture is used.")
    if with_pixels(content, pixels_sha256) != known["picture"]:
        raise ValueError("The picture in this file was changed after its settings were written: only it is used.")
    try:
        return _checked(known)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        reason = str(error) if isinstance(error, ValueError) else "they are not of the kind that is expected."
        raise ValueError(f"The settings in this file cannot be used: {reason}") from None


def _checked(known: dict[str, Any]) -> Settings:
    names = (known["target"], known["true"])
    if not all(isinstance(known[name], str) for name in ("network", "attack", "method", "picture")):
        raise TypeError
    if not all(name is None or isinstance(name, str) for name in (*names, known["region"])):
        raise TypeError
    if not isinstance(known["optimised"], bool) or not isinstance(known["settings"], dict):
        raise TypeError
    find_card(known["network"], paths=False)
    if known["attack"] not in ATTACKS or known["method"] not in METHODS:
        raise ValueError("the attack or the method is not known here.")
    kind = ATTACKS[known["attack"]]
    if {*known["settings"]} != {*knobs(kind)}:
        raise ValueError("the attack has other settings here.")
    attack = kind(**{name: _number(value, kind, name) for name, value in known["settings"].items()})
    region = None if known["region"] is None else Region.parse(known["region"])
    return Settings(known["network"], attack, *names, known["method"], known["optimised"], region, known["picture"])


def _number(value: Any, kind: type[Attack], name: str) -> Any:
    """JSON writes 1.0 as a whole number where another program has written it."""
    real = isinstance(knobs(kind)[name].default, float)
    return float(value) if real and isinstance(value, int) and not isinstance(value, bool) else value
