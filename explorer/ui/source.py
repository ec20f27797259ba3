"""Where the picture comes from: the gallery, a file, or the camera."""

from functools import lru_cache
from typing import BinaryIO

import streamlit as st

from explorer.images import FORMATS, fit, load_image
from explorer.samples import find_sample, gallery
from explorer.types import Image, Sample
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.link import link, linked

SOURCES = ("Gallery", "Upload", "Camera")
PARAMETER = "picture"


def choose_source() -> str:
    """One of SOURCES."""
    return st.segmented_control("Picture", SOURCES, default="Gallery", required=True, key="source")


def choose_picture(source: str, size: tuple[int, int]) -> Sample:
    """Let a person choose a picture and fit it to `size` = (height, width); the gallery's choice is in the link."""
    names = [sample.name for sample in gallery()]
    chosen = linked(PARAMETER, names, names[0])
    file = None
    if source == "Gallery":
        thumbnails(gallery(), chosen, key="gallery", on_pick=lambda name: link(PARAMETER, name, names[0]))
    elif source == "Upload":
        types = [*(kind.lower() for kind in FORMATS), "jpg"]
        file = st.file_uploader("A photograph of your own; it stays on this computer", types, key="upload")
    else:
        file = st.camera_input("Take a picture; it stays on this computer", key="camera")
    if file is not None:
        try:
            return _own_picture(file, size)
        except ValueError as error:
            st.error(f"{error} The gallery's picture is shown instead.")
    sample = find_sample(chosen)
    return Sample(sample.name, fit(sample.image, size), sample.label, sample.caption, sample.meta)


def _own_picture(file: BinaryIO, size: tuple[int, int]) -> Sample:
    image, (height, width) = _read(file.getvalue(), size)
    if (height, width) != size:
        st.caption(
            f"Your picture has {width:,} × {height:,} pixels. Its middle was cropped and resized to "
            f"{size[1]} × {size[0]} pixels, which is all that this network sees."
        )
    return Sample("picture", image, caption="your picture")


@lru_cache(maxsize=4)
def _read(content: bytes, size: tuple[int, int]) -> tuple[Image, tuple[int, int]]:
    image = load_image(content)
    return fit(image, size), tuple(image.shape[1:])
