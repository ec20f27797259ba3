"""Pictures as tensors, as arrays of bytes, and as the files that the project writes.

A picture is a (3, h, w) float32 tensor, RGB, whose values are multiples of 1/255 in [0, 1]. The same as an array is
(h, w, 3) uint8: a quarter of the memory, for pictures that are large until they are cropped and resized.
"""

import cv2
import numpy as np
import torch

from explorer.grid import from_levels, levels
from explorer.types import Image


def to_uint8(image: Image) -> np.ndarray:
    """The picture as an (h, w, 3) array of 0..255."""
    return levels(image.cpu()).permute(1, 2, 0).contiguous().numpy()


def from_uint8(pixels: np.ndarray) -> Image:
    """An (h, w, 3) array of 0..255 as a picture."""
    return from_levels(torch.from_numpy(np.array(pixels.transpose(2, 0, 1), dtype=np.uint8, order="C")))


def to_png(image: Image) -> bytes:
    """The picture as a PNG file; `load_image` gives exactly the same values back."""
    return cv2.imencode(".png", to_uint8(image)[..., ::-1])[1].tobytes()


def to_thumbnail(image: Image) -> bytes:
    """The picture as a small, lossy WebP file: to choose by, never to measure on."""
    return cv2.imencode(".webp", to_uint8(image)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])[1].tobytes()


def enlarge(image: Image, factor: int) -> Image:
    """Every pixel as a crisp square of `factor` x `factor`."""
    return image.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)
