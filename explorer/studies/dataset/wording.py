"""A study's numbers in words: the cells of its tables, for the report and the page alike."""

from collections.abc import Iterable

import pandas as pd

from explorer.numerics import Share
from explorer.studies.dataset import findings
from explorer.studies.trials import Rate

CLASSES = 30  # rows of the figure of classes


def sentence(view: findings.Overview) -> str:
    """One network's result in words."""
    if not view.fooled.hits:
        return f"{view.network}: none of {view.fooled.of:,} pictures is fooled."
    mean, _, median, _ = view.pixels
    told = f"{view.network}: {view.fooled.hits:,} of {view.fooled.of:,} pictures are fooled, by {mean:.1f} pixels on "
    told += f"average (median {median:.0f})"
    known = view.obscuring.value == view.obscuring.value
    return f"{told}; {_rate(view.obscuring)} of the changed pixels are obscuring." if known else f"{told}."


def overview_rows(views: Iterable[findings.Overview]) -> list[dict[str, str]]:
    """One line per measure, as text, a column per network."""
    each = [
        {
            "network": view.network,
            "seen correctly": _share(view.right),
            "fooled": _share(view.fooled),
            "pixels, mean": _number(view.pixels[0]),
            "pixels, quartiles": " / ".join(_number(each, 0) for each in view.pixels[1:]),
            "entries, mean": _number(view.entries),
            "changed part of the picture": f"{100 * view.part:.2f} %" if view.part == view.part else "–",
            "obscuring pixels": _rate(view.obscuring),
            "weak labels": _rate(view.weak),
            "trust card: green / amber / red": " / ".join(map(str, view.trust.values())),
            "seconds per picture": _number(view.seconds, 2),
        }
        for view in views
    ]
    names = [name for name in each[0] if name != "network"]
    return [{"": name, **{column["network"]: column[name] for column in each}} for name in names]


def class_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """One line per class and network, as text."""
    return [
        {
            "class": row["class"],
            "network": row["network"],
            "fooled": f"{row['fooled'].hits} of {row['fooled'].of}",
            "pixels, mean": _number(row["pixels"]),
            "obscuring": _rate(row["obscuring"]),
            "most often seen as": f"{row['wrong'][0]} ({row['wrong'][1]})" if row["wrong"][1] else "–",
        }
        for row in findings.by_class(table)
    ]


def place_rows(places: Iterable[findings.Place]) -> list[dict[str, str]]:
    """One line per pixel that recurs, as text."""
    return [
        {
            "row": str(each.row),
            "column": str(each.col),
            "pictures": f"{each.pictures.hits} of {each.pictures.of}",
            "obscuring": f"{each.obscuring.hits} of {each.obscuring.of}",
            "most frequent colour": "#" + bytes(each.colour).hex(),
        }
        for each in places
    ]


def recurrence_sentence(found: findings.Recurrence) -> str:
    """How many pixels recur, against chance."""
    pixels = f"{found.shared:,} pixel{'s' * (found.shared != 1)} changed"
    return (
        f"{pixels} in two pictures or more, where about {found.by_chance:.1f} would if as many changed pixels "
        "were spread evenly over each picture."
    )


def map_sentence(found: findings.Map) -> str:
    """How many changed pixels lie in the middle."""
    return (
        f"{_rate(found.middle)} of the changed pixels lie in the middle quarter of the picture, where "
        f"{100 * found.by_chance:.0f} % would by chance."
    )


def kind_intervals(table: pd.DataFrame, most: int = CLASSES) -> tuple[list[str], dict[str, list[tuple]]]:
    """The rows of the figure of kinds, all classes first and then the `most` with most pictures, and per network the
    share with its interval.
    """
    rows = findings.by_class(table)
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["class"]] = sizes.get(row["class"], 0) + row["labelled"]
    largest = {*sorted(sizes, key=lambda name: (-sizes[name], name))[:most]}
    names = [name for name in sizes if name in largest]
    known = {(row["class"], row["network"]): row["obscuring"] for row in rows}
    none = Rate(float("nan"), float("nan"), float("nan"))
    series = {}
    for network in findings.networks_of(table):
        labelled = findings.labelled_of(table, network)
        whole = findings.pixel_share(labelled["obscuring"], labelled["kinds"].str.len())
        rates = [whole, *(known.get((name, network), none) for name in names)]
        series[network] = [(each.value, each.low, each.high) for each in rates]
    return ["All classes", *names], series


def _share(share: Share) -> str:
    if not share.of:
        return "–"
    low, high = share.interval
    return f"{share.hits:,} of {share.of:,}, {100 * share.value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _rate(rate: Rate) -> str:
    if rate.value != rate.value:
        return "–"
    interval = f" ({100 * rate.low:.0f} to {100 * rate.high:.0f})" if rate.low == rate.low else ""
    return f"{100 * rate.value:.0f} %{interval}"


def _number(value: float, decimals: int = 1) -> str:
    return f"{value:,.{decimals}f}" if value == value else "–"
