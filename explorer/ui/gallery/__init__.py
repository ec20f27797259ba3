"""The gallery: thumbnails to click. An inline component, because native buttons cannot wear pictures."""

import base64
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.hashes import image_sha256
from explorer.images import fit, to_thumbnail
from explorer.types import Sample

HERE = Path(__file__).parent
SMALL = 3 * 64 * 64  # values of a picture that is quickly hashed
SIDE = 96  # pixels of a thumbnail, at most


def gallery(samples: Sequence[Sample], chosen: str | None, key: str, on_pick: Callable[[str], None]) -> None:
    """Show `samples` as one row of thumbnails that scrolls, `chosen` (a name) framed. `on_pick` gets the name that
    was clicked.
    """
    component = st.components.v2.component("gallery", html=_read("html"), css=_read("css"), js=_read("js"))

    def picked() -> None:
        name = st.session_state[key].pick
        if name in {sample.name for sample in samples}:
            on_pick(name)

    shown = {
        "thumbnails": _thumbnails([(sample.name, _content(sample)) for sample in samples], samples),
        "chosen": chosen,
    }
    component(key=key, data=shown, on_pick_change=picked)


@st.cache_data(show_spinner=False, max_entries=64)
def _thumbnails(known: list[tuple[str, str]], _samples: Sequence[Sample]) -> list[dict]:
    """Made once for each set of names with their contents."""
    return [{"name": sample.name, "caption": sample.caption or sample.name, "src": _url(sample)} for sample in _samples]


def _content(sample: Sample) -> str:
    """What tells a picture from another one of its name, as in a folder that was replaced. Large ones come with the
    app, or are called after their content.
    """
    return image_sha256(sample.image) if sample.image.numel() <= SMALL else ""


def _url(sample: Sample) -> str:
    large = min(sample.image.shape[1:]) > SIDE
    small = fit(sample.image, (SIDE, SIDE)) if large else sample.image
    return "data:image/webp;base64," + base64.b64encode(to_thumbnail(small)).decode()


@cache
def _read(kind: str) -> str:
    return (HERE / f"gallery.{kind}").read_text(encoding="utf-8")
