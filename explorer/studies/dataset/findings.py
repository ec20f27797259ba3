"""What a study found, as numbers: for each of its figures and tables, from its table. Ours.

Fooled is a share of the pictures that the network sees correctly; pixels, flows, labels and places are those of the
fooled ones. Shares of pictures have Wilson's interval. A share of pixels has one by resampling pictures, as the pixels
of one picture go together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from explorer.numerics import Share
from explorer.studies.dataset.changes import Change, read_changes
from explorer.studies.dataset.pictures import Gathered
from explorer.studies.trials import Rate, rate

FEW = 5  # pictures: of fewer, resampling says next to nothing
CELLS = 16  # of a map, along the longer side
OTHERS = "other classes"
Row = dict[str, Any]


@dataclass(frozen=True)
class Overview:
    """One network over all of its pictures."""

    network: str
    pictures: int  # attacked and labelled
    right: Share  # pictures seen correctly, of those whose class is known
    fooled: Share
    pixels: tuple[float, float, float, float]  # of the fooled: mean, lower quartile, median, upper quartile
    entries: float  # mean of the fooled
    part: float  # mean share of the picture that is changed
    obscuring: Rate  # of all changed pixels
    weak: Rate
    trust: dict[str, int]  # pictures by the colour of their trust card
    seconds: float  # mean of attack and labels


@dataclass(frozen=True)
class Place:
    """A pixel that changed in several pictures."""

    row: int
    col: int
    pictures: Share  # of the fooled
    obscuring: Share  # of its labels
    colour: tuple[int, int, int]  # the new colour that is most frequent


@dataclass(frozen=True)
class Recurrence:
    """The pixels that changed in two pictures or more."""

    places: tuple[Place, ...]  # the most frequent first, not all
    shared: int  # how many pixels there are of the kind
    by_chance: float  # how many there would be on average if each picture's changed pixels were spread evenly


@dataclass(frozen=True)
class Map:
    """Where on the picture changed pixels fall: counts by cells of `side` x `side` pixels."""

    counts: np.ndarray  # (rows, columns) int
    side: int
    size: tuple[int, int]  # (height, width) of the picture, in pixels
    middle: Rate  # share of the changed pixels that lie in the middle quarter ...
    by_chance: float  # ... and its share of the picture's pixels


def networks_of(table: pd.DataFrame) -> list[str]:
    """In the table's order."""
    return list(dict.fromkeys(table["network"]))


def fooled_of(table: pd.DataFrame, network: str) -> pd.DataFrame:
    """The rows of a network's pictures that fool it."""
    return table[(table["network"] == network) & table["succeeded"]]


def labelled_of(table: pd.DataFrame, network: str) -> pd.DataFrame:
    """Those of them whose pixels have labels."""
    return table[(table["network"] == network) & table["succeeded"] & (table["kinds"] != "")]


def overviews(table: pd.DataFrame, gathered: Iterable[Gathered]) -> list[Overview]:
    """One per network that has a row."""
    found, rights = [], {each.subject.name: Share(each.n_right, each.n_known) for each in gathered}
    for network in networks_of(table):
        rows, fooled = table[table["network"] == network], fooled_of(table, network)
        labelled = labelled_of(table, network)
        n = labelled["kinds"].str.len()
        pixels = fooled["n_pixels"].astype(float)
        found.append(
            Overview(
                network,
                len(rows),
                rights.get(network, Share(0, 0)),
                Share(len(fooled), len(rows)),
                (pixels.mean(), *(float(pixels.quantile(q)) for q in (0.25, 0.5, 0.75))),
                float(fooled["n_entries"].mean()),
                float((pixels / (fooled["height"] * fooled["width"])).mean()),
                pixel_share(labelled["obscuring"], n),
                pixel_share(labelled["weak"], n),
                {colour: int((labelled["trust"] == colour).sum()) for colour in ("green", "amber", "red")},
                float((rows["seconds"] + rows["label_seconds"]).mean()),
            )
        )
    return found


def pixel_share(parts: Sequence[int], wholes: Sequence[int]) -> Rate:
    """A share of pixels, one part and one whole per picture; without an interval (NaN) for fewer than FEW pictures."""
    found = rate(list(parts), list(wholes))
    return found if len(list(parts)) >= FEW else Rate(found.value, float("nan"), float("nan"))


def pixel_counts(table: pd.DataFrame) -> dict[str, list[int]]:
    """The changed pixels of each picture that fools, by network."""
    return {network: fooled_of(table, network)["n_pixels"].tolist() for network in networks_of(table)}


def fooled_within(table: pd.DataFrame, most: int) -> dict[str, list[Share]]:
    """How many pictures are fooled with at most 0, 1, ... `most` pixels, by network."""
    found = {}
    for network in networks_of(table):
        counts, of = fooled_of(table, network)["n_pixels"], int((table["network"] == network).sum())
        found[network] = [Share(int((counts <= k).sum()), of) for k in range(most + 1)]
    return found


def flows(table: pd.DataFrame, network: str, most: int = 20) -> list[tuple[str, str, int]]:
    """(true class, wrong class, pictures), the largest first. Beyond the `most` frequent classes of either side, they
    are OTHERS.
    """
    fooled = fooled_of(table, network)
    pairs = Counter(zip(fooled["true_class"], fooled["wrong_class"], strict=True))
    sides = []
    for side in (0, 1):
        sums = Counter()
        for pair, count in pairs.items():
            sums[pair[side]] += count
        ordered = sorted(sums, key=lambda name: (-sums[name], name))
        sides.append({*ordered[:most]})
    folded: Counter = Counter()
    for (true, wrong), count in pairs.items():
        folded[true if true in sides[0] else OTHERS, wrong if wrong in sides[1] else OTHERS] += count
    return sorted(((*pair, count) for pair, count in folded.items()), key=lambda flow: (-flow[2], flow[0], flow[1]))


def by_class(table: pd.DataFrame) -> list[Row]:
    """One line per true class and network, the classes in the networks' order: pictures, fooled, pixels, obscuring, and
    what it is taken for most often.
    """
    rows = []
    for name in table.sort_values("label", kind="stable")["true_class"].unique():
        for network in networks_of(table):
            some = table[(table["true_class"] == name) & (table["network"] == network)]
            if not len(some):
                continue
            fooled, labelled = fooled_of(some, network), labelled_of(some, network)
            wrong = Counter(fooled["wrong_class"]).most_common(1)
            rows.append(
                {
                    "class": name,
                    "network": network,
                    "fooled": Share(len(fooled), len(some)),
                    "pixels": float(fooled["n_pixels"].mean()) if len(fooled) else float("nan"),
                    "obscuring": pixel_share(labelled["obscuring"], labelled["kinds"].str.len()),
                    "labelled": len(labelled),
                    "wrong": wrong[0] if wrong else ("", 0),
                }
            )
    return rows


def places(table: pd.DataFrame, network: str) -> Map | None:
    """Where this network's changed pixels fall; None if none changed."""
    fooled = fooled_of(table, network)
    fooled = fooled[fooled["change"] != ""]
    if not len(fooled):
        return None
    height, width = int(fooled["height"].iloc[0]), int(fooled["width"].iloc[0])
    side = max(1, -(-max(height, width) // CELLS))
    counts = np.zeros((-(-height // side), -(-width // side)), int)
    inside, wholes = [], []
    top, left = height // 4, width // 4  # the middle quarter: half of each side
    rows, columns = height // 2, width // 2
    for text in fooled["change"]:
        changes = read_changes(text)
        for each in changes:
            counts[each.row // side, each.col // side] += 1
        inside.append(sum(top <= each.row < top + rows and left <= each.col < left + columns for each in changes))
        wholes.append(len(changes))
    return Map(counts, side, (height, width), pixel_share(inside, wholes), rows * columns / (height * width))


def recurring(table: pd.DataFrame, network: str, most: int = 12) -> Recurrence:
    """Which pixels changed in several of this network's pictures."""
    fooled = fooled_of(table, network)
    fooled = fooled[fooled["change"] != ""]
    found: dict[tuple[int, int], list[Change]] = {}
    parts, size = [], 1
    for row in fooled[["change", "kinds", "height", "width"]].itertuples(index=False):
        changes, size = read_changes(row.change, row.kinds), row.height * row.width
        parts.append(len(changes) / size)
        for each in changes:
            found.setdefault((each.row, each.col), []).append(each)
    often = sorted((spot for spot in found if len(found[spot]) > 1), key=lambda spot: (-len(found[spot]), spot))
    places = tuple(_place(spot, found[spot], len(fooled)) for spot in often[:most])
    return Recurrence(places, len(often), size * _twice_or_more(parts))


def _twice_or_more(chances: Sequence[float]) -> float:
    """How likely at least two of these independent events are."""
    none, once = 1.0, 0.0
    for chance in chances:
        none, once = none * (1 - chance), once * (1 - chance) + none * chance
    return max(0.0, 1 - none - once)


def _place(spot: tuple[int, int], changes: Sequence[Change], n: int) -> Place:
    labelled = [each for each in changes if each.kind is not None]
    hides = sum(each.kind == "obscuring" for each in labelled)
    colour = Counter(each.rgb for each in changes).most_common(1)[0][0]
    return Place(*spot, Share(len(changes), n), Share(hides, len(labelled)), colour)
