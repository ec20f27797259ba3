"""Fitting a picture to a network's input: the part that is cropped, and resizing. Arrays are (h, w, 3) uint8."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from explorer.images.pixels import from_uint8, to_uint8
from explorer.types import Image

Resize = Literal["area", "nearest"]
RESIZES: tuple[Resize, ...] = ("area", "nearest")  # each pixel the mean of what it covers, or what lies at its middle


@dataclass(frozen=True)
class Crop:
    """The part of a picture that a network sees, in pixels of that picture."""

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """That part of an (h, w, 3) array."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


def middle(original: tuple[int, int], size: tuple[int, int]) -> Crop:
    """The largest part in the middle of a picture of size `original` that has the aspect ratio of `size`, to the
    nearest pixel. Both are (height, width).
    """
    crop_height = min(original[0], max(1, round(original[1] * size[0] / size[1])))
    crop_width = min(original[1], max(1, round(original[0] * size[1] / size[0])))
    return Crop((original[0] - crop_height) // 2, (original[1] - crop_width) // 2, crop_height, crop_width)


def suited_resize(crop: tuple[int, int], size: tuple[int, int]) -> Resize:
    """What loses least: by area where a picture shrinks, by nearest where it grows. Both are (height, width)."""
    return "area" if crop[0] >= size[0] and crop[1] >= size[1] else "nearest"


def fit(image: Image, size: tuple[int, int], resize: Resize | None = None) -> Image:
    """Crop the middle to the aspect ratio of `size` = (height, width), then resize, by default as suits the sizes."""
    return from_uint8(fit_pixels(to_uint8(image), size, resize))


def fit_pixels(pixels: np.ndarray, size: tuple[int, int], resize: Resize | None = None) -> np.ndarray:
    """The same of an array: nothing of the whole picture's size is made."""
    crop = middle(pixels.shape[:2], size)
    if crop.size == size:
        return crop.of(pixels)
    by_area = (resize or suited_resize(crop.size, size)) == "area"
    interpolation = cv2.INTER_AREA if by_area else cv2.INTER_NEAREST_EXACT
    return cv2.resize(crop.of(pixels), size[::-1], interpolation=interpolation)


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """The whole picture, with no side longer than `side` pixels: to be looked at."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(scale * height)), max(1, round(scale * width))
    return pixels if scale >= 1 else fit_pixels(pixels, size, "area")


def framed(pixels: np.ndarray, crop: Crop, side: int) -> np.ndarray:
    """The picture, no side longer than `side` pixels, `crop` in a frame, the rest pale: to be looked at."""
    small = shrunk(pixels, side)
    scale = small.shape[0] / pixels.shape[0], small.shape[1] / pixels.shape[1]
    top, left = round(crop.top * scale[0]), round(crop.left * scale[1])
    bottom = max(top + 1, round((crop.top + crop.height) * scale[0]))
    right = max(left + 1, round((crop.left + crop.width) * scale[1]))
    inside = small[top:bottom, left:right].copy()
    small = (0.3 * small + 0.7 * 255).astype(np.uint8)
    small[top:bottom, left:right] = inside
    for colour, inset in (((255, 255, 255), 1), ((91, 79, 199), 0)):
        corners = (left + inset, top + inset), (right - 1 - inset, bottom - 1 - inset)
        cv2.rectangle(small, *corners, colour, 1)
    return small
