"""Filters that look at a pixel's neighbours: what a camera could do to a picture before a network sees it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from explorer.images.pixels import from_uint8, to_uint8
from explorer.types import Image


@dataclass(frozen=True)
class Filter:
    """A kind of filter, with the strengths that it can have: the width of its window in pixels, odd."""

    title: str
    told: str
    widths: tuple[int, ...]
    function: Callable[[np.ndarray, int], np.ndarray]

    def __call__(self, image: Image, width: int) -> Image:
        """The filtered picture, on the 8-bit grid; a width of 1 changes nothing."""
        if width % 2 == 0 or not 1 <= width <= max(self.widths):
            raise ValueError(f"The width of a filter is odd, from 1 to {max(self.widths)}; got {width}.")
        return from_uint8(self.function(to_uint8(image), width)) if width > 1 else image


FILTERS: dict[str, Filter] = {
    "median": Filter(
        "Median",
        "every pixel becomes the middle one of its neighbours, when they are put in order of brightness, colour by "
        "colour: a single odd one out is outvoted",
        (1, 3, 5, 7, 9, 13, 17, 21),
        cv2.medianBlur,
    ),
    "blur": Filter(
        "Blur",
        "every pixel becomes a mixture of its neighbours, the near ones counting most: a single odd one out is watered "
        "down",
        (1, 3, 5, 7, 9, 13, 17, 21),
        lambda pixels, width: cv2.GaussianBlur(pixels, (width, width), 0),
    ),
}
