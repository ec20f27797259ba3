"""The player: an attack step by step, with play, pause, scrubbing and keys. It runs in the browser alone."""

from functools import cache
from pathlib import Path

import streamlit as st

from explorer.images import from_uint8
from explorer.pipeline import Film
from explorer.ui.pictures import film_frames, picture_url

HERE = Path(__file__).parent


def player(film: Film, key: str) -> None:
    """Show the film."""
    component = st.components.v2.component("player", html=_read("html"), css=_read("css"), js=_read("js"))
    height, width = film.clean.shape[:2]
    clean = picture_url(from_uint8(film.clean))
    component(key=key, data={"height": height, "width": width, "clean": clean, "frames": film_frames(film)})


@cache
def _read(kind: str) -> str:
    return (HERE / f"player.{kind}").read_text(encoding="utf-8")
