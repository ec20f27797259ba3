"""What a run is called in the page's address."""

from typing import Any

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import DEFAULT
from explorer.classifiers.class_names import distinct
from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.knobs import exactly, knobs
from explorer.pipeline.exploration import Exploration

UPLOAD = "upload"  # the picture that no address can hold
INSIDE = "Inside the drawn region"  # the name of that choice on the page


def name_of(attack: Attack) -> str:
    """Its name in ATTACKS."""
    return next(name for name, kind in ATTACKS.items() if kind is type(attack))


def prefix_of(name: str) -> str:
    """What stands before the names of an attack's knobs in the link and among the controls, so that two attacks can
    have knobs of one name: nothing for the first attack, `greedy.` for greedy.
    """
    return "" if name == next(iter(ATTACKS)) else f"{name}."


def query_of(exploration: Exploration, picture: str = UPLOAD) -> dict[str, str]:
    """The parameters of the address that shows this run of the `picture` of this name; what is usual is left out."""
    each, name = exploration, name_of(exploration.attack)
    names = distinct(each.class_names)
    query = {"network": each.network} if each.network != DEFAULT else {}
    query["picture"] = picture
    if name != next(iter(ATTACKS)):
        query["attack"] = name
    for knob in knobs(each.attack).values():
        value = getattr(each.attack, knob.name)
        if value != knob.default:
            query[prefix_of(name) + knob.name] = _text(value)
    if each.target is not None:
        query["target"] = names[each.target]
    if each.true_label is not None and picture == UPLOAD:
        query["true"] = names[each.true_label]
    if each.evidence is not None and each.evidence.method != DEFAULT_METHOD:
        query["method"] = METHODS[each.evidence.method].title
    if each.stage == "optimised" and len(each.result.stages) > 1:
        query["stage"] = "optimised"
    if each.region is not None:
        query |= {"where": INSIDE, "region": each.region.text}
    return query


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return exactly(value) if isinstance(value, int | float) else str(value)
