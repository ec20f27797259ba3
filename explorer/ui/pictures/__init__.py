"""The hero: before, after and the changed pixels side by side, crisp, with one cross-hair in all three.

An inline component: pointing compares a pixel in the three pictures, clicking a mark reports which pixel it is.
"""

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.images import to_png
from explorer.palette import LOOKS
from explorer.pipeline import Exploration, percent
from explorer.types import Image

HERE = Path(__file__).parent


def pictures(exploration: Exploration, selected: int | None, key: str, on_pick: Callable[[int | None], None]) -> None:
    """Show the three pictures. `on_pick` gets the index of the changed pixel that was clicked, None to let go."""
    component = st.components.v2.component("pictures", html=_read("html"), css=_read("css"), js=_read("js"))

    def picked() -> None:
        pick = st.session_state[key].pick
        if pick is not None:
            on_pick(pick["index"])

    component(key=key, data=_data(exploration, selected), on_pick_change=picked)


def _data(exploration: Exploration, selected: int | None) -> dict:
    names, pixels = exploration.class_names, exploration.evidence.pixels if exploration.evidence else ()
    before = f"{names[exploration.label]}, {percent(exploration.before[exploration.label])}"
    after = f"{names[exploration.adversarial_label]}, {percent(exploration.after[exploration.adversarial_label])}"
    counts = {kind: sum(pixel.kind == kind for pixel in pixels) for kind in LOOKS}
    height, width = exploration.image.shape[1:]
    return {
        "height": height,
        "width": width,
        "panes": [
            {
                "title": "Before",
                "text": before,
                "src": _url(exploration.image),
                "alt": f"The clean picture, {width} by {height} pixels. The network sees: {before}.",
            },
            {
                "title": "After",
                "text": after,
                "src": _url(exploration.adversarial),
                "alt": f"The picture with {exploration.n_pixels} changed pixels. The network sees: {after}.",
            },
            {
                "title": "Changed pixels",
                "text": "",
                "src": _url(exploration.adversarial),
                "alt": "Where the changed pixels are: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + ".",
            },
        ],
        "legend": [
            {"kind": kind, "count": counts[kind], "shape": look.shape, "colour": look.css}
            for kind, look in LOOKS.items()
        ],
        "marks": [
            {
                "row": pixel.row,
                "col": pixel.col,
                "kind": pixel.kind,
                "weak": pixel.weak,
                "obscuring": pixel.obscuring,
                "leading": pixel.leading,
            }
            for pixel in pixels
        ],
        "selected": selected,
    }


def _url(image: Image) -> str:
    return "data:image/png;base64," + base64.b64encode(to_png(image)).decode()


@cache
def _read(kind: str) -> str:
    return (HERE / f"pictures.{kind}").read_text()
