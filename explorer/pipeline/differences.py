"""Two explorations beside each other: which settings differ, and which changed pixels they share."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from explorer.attacks import ATTACKS
from explorer.evidence import METHODS
from explorer.grid import changed_pixels, levels, same_picture
from explorer.knobs import knobs
from explorer.pipeline.exploration import Exploration


@dataclass(frozen=True)
class SharedPixels:
    """The changed pixels of two explorations of pictures of one size."""

    shared: int  # places that both change
    only_first: int
    only_second: int
    same_colour: int  # of the shared ones: changed to the same colour
    labelled: int  # of the shared ones: labelled in both ...
    same_kind: int  # ... and as the same kind


def differing_settings(first: Exploration, second: Exploration) -> list[tuple[str, Any, Any]]:
    """What was asked for otherwise: what it is called, and its value in each; None where an attack has no such
    setting.
    """
    one, two = _settings(first), _settings(second)
    found = [(name, one.get(name), two.get(name)) for name in dict.fromkeys((*one, *two))]
    found = [(name, a, b) for name, a, b in found if a != b]
    if not same_picture(first.image, second.image):
        found.insert(0, ("picture", "one", "another"))
    return found


def shared_pixels(first: Exploration, second: Exploration) -> SharedPixels | None:
    """None where the pictures differ in size."""
    if first.image.shape != second.image.shape:
        return None
    one, two = (changed_pixels(each.image, each.adversarial) for each in (first, second))
    both = one & two
    alike = (levels(first.adversarial) == levels(second.adversarial)).all(0)
    kinds = [
        {(pixel.row, pixel.col): pixel.kind for pixel in (each.evidence.pixels if each.evidence else ())}
        for each in (first, second)
    ]
    labelled = [place for place in kinds[0] if place in kinds[1]]
    return SharedPixels(
        shared=int(both.sum()),
        only_first=int((one & ~two).sum()),
        only_second=int((two & ~one).sum()),
        same_colour=int((both & alike).sum()),
        labelled=len(labelled),
        same_kind=sum(kinds[0][place] == kinds[1][place] for place in labelled),
    )


def _settings(each: Exploration) -> dict[str, Any]:
    known = knobs(each.attack)
    title = next((kind.title for kind in ATTACKS.values() if kind is type(each.attack)), type(each.attack).__name__)
    return {
        "network": each.network,
        "attack": title,
        **{known[name].label: value for name, value in dataclasses.asdict(each.attack).items() if name in known},
        "class that was attacked": each.class_names[each.label],
        "target": "any wrong class" if each.target is None else each.class_names[each.target],
        "stage": each.stage,
        "region": "everywhere" if each.region is None else each.region.text,
        "labels by": METHODS[each.evidence.method].title if each.evidence else "no labels",
    }
