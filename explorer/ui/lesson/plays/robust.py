"""The robust network: the same sign, the same attack, two networks."""

import streamlit as st

from explorer.figures import count_bars
from explorer.pipeline import Exploration, percent
from explorer.ui.caches import classifier
from explorer.ui.evidence import QUIET
from explorer.ui.lesson.checks import Compared
from explorer.ui.lesson.desk import ORDINARY, ROBUST, Desk, title_of
from explorer.ui.lesson.explored import explored
from explorer.ui.pictures import canvas

NAMES = {ORDINARY: "Ordinary network", ROBUST: "Robust network"}


def play_robust(desk: Desk) -> Compared | None:
    """Before, and what each network takes to be fooled."""
    sign = desk.choose_sign()
    found: dict[str, Exploration] = {}
    for name in NAMES:
        exploration = explored(classifier(name), sign)
        if exploration is None:
            return None
        found[name] = exploration
    first = found[ORDINARY]
    before = f"{first.class_names[first.label]}"
    panes = [{"title": "Before", "text": before, "shows": "before", "alt": f"The clean sign: {before}."}]
    for name, exploration in found.items():
        seen = exploration.class_names[exploration.adversarial_label]
        text = f"{seen}, {percent(exploration.after[exploration.adversarial_label])}: {exploration.n_pixels} pixels"
        panes.append({"title": NAMES[name], "text": text, "shows": name, "alt": f"{NAMES[name]}: sees {text} changed."})
    images = {**{name: each.adversarial for name, each in found.items()}, "before": first.image}
    canvas(images, panes, (), (), (), "", "robust-pictures", None)
    counts = [each.n_pixels for each in found.values()]
    st.plotly_chart(
        count_bars([*NAMES.values()], counts, "pixels"),
        key="robust-bars",
        config=QUIET,
        alt=f"Changed pixels: ordinary network {counts[0]}, robust network {counts[1]}.",
    )
    ordinary, robust = (each.n_pixels if each.succeeded else None for each in found.values())
    return Compared(title_of(sign), ordinary, robust, desk.free)
