"""The adversarial picture with a mark around every changed pixel: a picture to look at, not to measure on."""

from collections.abc import Iterable

import cv2
import numpy as np

from explorer.images import enlarge, from_uint8, to_uint8
from explorer.palette import LOOKS
from explorer.types import Image, PixelLabel

SIDE = 768  # of the overlay's shorter side, in pixels, at least


def overlay(adversarial: Image, pixels: Iterable[PixelLabel]) -> Image:
    """The adversarial picture, enlarged, with a mark around every changed pixel; weak labels are hollow."""
    factor = max(1, -(-SIDE // min(adversarial.shape[1:])))
    canvas = to_uint8(enlarge(adversarial, factor))
    radius = max(0.9 * factor, min(canvas.shape[:2]) / 64)
    for pixel in pixels:
        look = LOOKS[pixel.kind]
        centre = np.array([pixel.col + 0.5, pixel.row + 0.5]) * factor
        _draw(canvas, _outline(look.shape, centre, radius), look.rgb, hollow=pixel.weak)
    return from_uint8(canvas)


def _outline(shape: str, centre: np.ndarray, radius: float) -> np.ndarray:
    corners = 48 if shape == "circle" else 4
    angles = np.arange(corners) * 2 * np.pi / corners
    reach = radius if shape == "circle" else 1.25 * radius  # a diamond of the same weight to the eye
    return centre + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _draw(canvas: np.ndarray, outline: np.ndarray, rgb: tuple[int, int, int], *, hollow: bool) -> None:
    fraction_bits = 4
    points = [np.rint(outline * 2**fraction_bits).astype(np.int32)]
    style = {"lineType": cv2.LINE_AA, "shift": fraction_bits}
    if not hollow:
        cv2.fillPoly(canvas, points, rgb, **style)
    cv2.polylines(canvas, points, True, (255, 255, 255), 5 if hollow else 2, **style)
    if hollow:
        cv2.polylines(canvas, points, True, rgb, 3, **style)
