"""How a picture becomes what the network sees, in plain view: the part that is cropped, and the way it is resized."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.images import RESIZES, Crop, Resize, fit_pixels, framed, from_uint8, middle, suited_resize, to_png
from explorer.types import Image, Sample
from explorer.ui.link import link, linked
from explorer.ui.markdown import plain

PREVIEW = 150  # pixels of the longer side of the original, where it is shown beside what the network sees


@dataclass(frozen=True)
class Conversion:
    """A picture as the network sees it, and the original with the part that it is made of in a frame, as PNG."""

    image: Image
    framed: bytes


@dataclass(frozen=True)
class Original:
    """A picture as it came."""

    size: tuple[int, int]  # (height, width)
    convert: Callable[[tuple[int, int], Resize | None], Conversion]
    sample: Callable[[Image], Sample]  # all about it, with the converted picture


def convert(pixels: np.ndarray, size: tuple[int, int], resize: Resize | None) -> Conversion:
    """Crop and resize an (h, w, 3) uint8 array to `size` = (height, width)."""
    crop = middle(pixels.shape[:2], size)
    factor = max(1, PREVIEW // max(pixels.shape[:2]))
    larger = Crop(crop.top * factor, crop.left * factor, crop.height * factor, crop.width * factor)
    shown = pixels.repeat(factor, 0).repeat(factor, 1) if factor > 1 else pixels
    return Conversion(from_uint8(fit_pixels(pixels, size, resize)), to_png(from_uint8(framed(shown, larger, PREVIEW))))


def in_plain_view(original: Original, size: tuple[int, int]) -> Sample:
    """Say and show what is cropped and how it is resized; the way of resizing can be changed, and is in the link."""
    height, width = original.size
    crop = middle(original.size, size)
    with st.container(key="fitting", horizontal=True, vertical_alignment="center"):
        picture = st.empty()
        with st.container():
            told = st.empty()
            resize = None if crop.size == size else _choose_resize(crop.size, size)
    conversion = original.convert(size, resize)
    sample = original.sample(conversion.image)
    alt = f"The original picture, {width} by {height} pixels, with a frame around the part that the network sees."
    picture.image(conversion.framed, width="content", alt=alt)
    part = "All of it" if crop.size == original.size else f"Its middle, {crop.width:,} × {crop.height:,}, in the frame,"
    how = "is what this network sees" if resize is None else f"is resized to the {size[1]} × {size[0]} it sees"
    told.caption(f"**{plain(sample.caption)}**, {width:,} × {height:,} pixels. {part} {how}.")
    return sample


def _choose_resize(crop: tuple[int, int], size: tuple[int, int]) -> Resize:
    suited = suited_resize(crop, size)
    st.session_state.resize = linked("resize", RESIZES, suited)
    return st.segmented_control(
        "Resized by",
        RESIZES,
        required=True,
        format_func={"area": "area (mean)", "nearest": "nearest pixel"}.get,
        key="resize",
        on_change=lambda: link("resize", st.session_state.resize, suited),
        help="By area, each new pixel is the mean of what it covers. By nearest, it is the one pixel at its middle: "
        "growing keeps pixels crisp, shrinking leaves pixels out.",
    )
