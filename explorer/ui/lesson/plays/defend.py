"""What defends? A filter before the network: too weak, too strong, or just right, on several signs at once."""

import streamlit as st

from explorer.classifiers import Classifier
from explorer.defences import DEFENCES, Defence
from explorer.pipeline import Exploration, look_at
from explorer.types import Image
from explorer.ui.caches import classifier
from explorer.ui.lesson.checks import Defended
from explorer.ui.lesson.desk import ORDINARY, ROBUST, Desk, seen_in, title_of
from explorer.ui.lesson.explored import explored
from explorer.ui.lesson.plays.robust import NAMES
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas

FILTERS = ("median", "gaussian")  # of the defences
WIDTHS = (1, 3, 5, 7, 9, 13, 17, 21)  # of the window that a filter looks through, in pixels; 1: no filter
TRIED = ("stop-1", "no-entry-3", "speed-limit-50-2", "roundabout-1", "pedestrians-1")


def play_defend(desk: Desk) -> Defended | None:
    """Choose a filter and how strong it is; five signs, clean and attacked, go through it."""
    network = _choose_network(desk)
    clf = classifier(network)
    with st.container(horizontal=True, vertical_alignment="top"):
        kind = st.segmented_control(
            "Filter", FILTERS, default="median", required=True, format_func=_title, key="filter"
        )
        width = st.select_slider("Window", WIDTHS, format_func=_window, key="filter-width", width=300)
    st.caption(f"{DEFENCES[kind].title}. {DEFENCES[kind].summary}")
    signs = (
        TRIED if not desk.lock.picture else (desk.lock.picture, *(each for each in TRIED if each != desk.lock.picture))
    )
    explorations = []
    for sign in signs[: len(TRIED)]:
        exploration = explored(clf, sign)
        if exploration is None:
            return None
        explorations.append(exploration)
    _show(clf, explorations[0], kind, width)
    rows = [_right(clf, exploration, kind, width) for exploration in explorations]
    lines = ["| sign | clean, filtered | attacked, filtered |", "|---|---|---|"]
    for sign, (clean, attacked) in zip(signs, rows, strict=False):
        lines.append(f"| {title_of(sign)} | {plain(clean[1])} | {plain(attacked[1])} |")
    st.markdown("\n".join(lines))
    return Defended(width, sum(clean[0] for clean, _ in rows), sum(attacked[0] for _, attacked in rows), len(rows))


def _choose_network(desk: Desk) -> str:
    if desk.lock.network or not desk.sees("network"):
        return desk.network
    return st.segmented_control(
        "Network", [ORDINARY, ROBUST], default=ORDINARY, required=True, format_func=NAMES.get, key="defend-network"
    )


def filtered(image: Image, kind: str, width: int) -> Image:
    """The picture (3, h, w) through a window of so many pixels."""
    return image if width == 1 else _defence(kind, width)(image[None])[0]


def _defence(kind: str, width: int) -> Defence:
    if kind == "median":
        return DEFENCES[kind](radius=width // 2)
    return DEFENCES[kind](sigma=0.15 * width + 0.35)  # as OpenCV chooses it for such a window


def _right(clf: Classifier, exploration: Exploration, kind: str, width: int) -> list[tuple[bool, str]]:
    """For the clean and the attacked picture: whether the network sees the true class, and what it sees."""
    found = []
    for image in (exploration.image, exploration.adversarial):
        outcome = look_at(clf, filtered(image, kind, width), exploration.label)
        right = outcome.label == exploration.label
        told = f"{'✓' if right else '✗'} {seen_in(outcome, exploration.class_names)}"
        found.append((right, told.replace(" %", "\u00a0%").replace(" ", "\u00a0", 1)))
    return found


def _show(clf: Classifier, exploration: Exploration, kind: str, width: int) -> None:
    """The first sign: attacked, and as the network gets to see it."""
    attacked, clean = (filtered(image, kind, width) for image in (exploration.adversarial, exploration.image))
    panes = [
        _pane("Attacked", "attacked", clf, exploration, exploration.adversarial),
        _pane("Attacked, filtered", "filtered", clf, exploration, attacked),
        _pane("Clean, filtered", "clean", clf, exploration, clean),
    ]
    images = {"attacked": exploration.adversarial, "filtered": attacked, "clean": clean}
    canvas(images, panes, (), (), (), "", "defend-pictures", None)


def _pane(title: str, shows: str, clf: Classifier, exploration: Exploration, image: Image) -> dict:
    seen = seen_in(look_at(clf, image, exploration.label), exploration.class_names)
    return {"title": title, "text": seen, "shows": shows, "alt": f"{title}. The network sees: {seen}."}


def _title(name: str) -> str:
    return DEFENCES[name].title


def _window(width: int) -> str:
    return "none" if width == 1 else f"{width} × {width}"
