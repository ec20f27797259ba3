"""A picture to point at or to paint on, pixel by pixel: by mouse, finger or keyboard. It knows nothing of attacks."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.types import Image
from explorer.ui.pictures import picture_url

HERE = Path(__file__).parent
MOST = 5000  # pixels of a stroke that are listened to

Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Ring:
    """A ring around a pixel: full for a hit, dashed for a miss."""

    row: int
    col: int
    hit: bool


def board(
    image: Image,
    key: str,
    on_stroke: Callable[[Collection[Place]], object],
    *,
    name: str,
    title: str,
    text: str,
    alt: str,
    hint: str,
    colour: str = "#ffffff",
    left: int = 1,
    drags: bool = False,
    rings: Sequence[Ring] = (),
) -> None:
    """Show `image`, called `name`. `on_stroke` gets the places of one stroke: with `drags` of at most `left` pixels, in
    `colour`, else of one pixel. `alt` says what is there and how to use it by keyboard.
    """
    height, width = image.shape[1:]
    component = st.components.v2.component("board", html=_read("html"), css=_read("css"), js=_read("js"))
    seen_key = f"{key}-seen"  # the number of the newest stroke that was heard of: the page repeats those that were not

    def drawn() -> None:
        for stroke in st.session_state[key].strokes or ():
            if stroke["n"] > st.session_state.get(seen_key, 0):
                st.session_state[seen_key] = stroke["n"]
                on_stroke([(int(row), int(col)) for row, col in stroke["pixels"][:MOST]])

    data = {
        "name": name,
        "height": height,
        "width": width,
        "image": picture_url(image),
        "title": title,
        "text": text,
        "alt": alt,
        "hint": hint,
        "colour": colour,
        "left": left,
        "drags": drags,
        "seen": st.session_state.get(seen_key, 0),
        "rings": [{"row": ring.row, "col": ring.col, "hit": ring.hit} for ring in rings],
    }
    component(key=key, data=data, on_strokes_change=drawn)


@cache
def _read(kind: str) -> str:
    return (HERE / f"board.{kind}").read_text(encoding="utf-8")
