"""Pictures as files and as tensors: safe loading, fitting to a network's input, and PNG.

A picture is a (3, h, w) float32 tensor, RGB, whose values are multiples of 1/255 in [0, 1].
"""

from explorer.images.decoding import (
    FORMATS,
    SUFFIXES,
    load_image,
    load_pixels,
    other_pictures,
    picture_files,
    size_of,
    with_pixels,
)
from explorer.images.fitting import (
    RESIZES,
    Crop,
    Resize,
    fit,
    fit_pixels,
    framed,
    middle,
    shrunk,
    suited_resize,
)
from explorer.images.pixels import enlarge, from_uint8, to_png, to_thumbnail, to_uint8

__all__ = [
    "FORMATS",
    "RESIZES",
    "SUFFIXES",
    "Crop",
    "Resize",
    "enlarge",
    "fit",
    "fit_pixels",
    "framed",
    "from_uint8",
    "load_image",
    "load_pixels",
    "middle",
    "other_pictures",
    "picture_files",
    "shrunk",
    "size_of",
    "suited_resize",
    "to_png",
    "to_thumbnail",
    "to_uint8",
    "with_pixels",
]
