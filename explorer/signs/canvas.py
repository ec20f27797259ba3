"""A canvas in units of the sign's radius, which remembers beside each colour what it is part of."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

OUTSIDE, FACE, INK = 0, 1, 2  # the elements of a sign; a higher number is more specific
SIDE = 256  # pixels of a finished drawing
_FINE = 4 * SIDE  # pixels while drawing: 16 samples for each finished pixel make the edges smooth
_SHIFT = 4  # fractional bits of OpenCV's coordinates

Colour = tuple[int, int, int]
Points = np.ndarray  # (n, 2) float: x to the right, y downwards, (0, 0) in the middle, the edges at -1 and 1


@dataclass(frozen=True)
class Drawing:
    """A finished sign, seen straight on."""

    rgba: np.ndarray  # (SIDE, SIDE, 4) uint8, RGB multiplied by the opacity
    element: np.ndarray  # (SIDE, SIDE) float32: mean of OUTSIDE, FACE, INK over the pixel


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Points:
    """Points on an ellipse, from `start` to `end` in degrees: 0 is right, 90 is down, as the y axis points down."""
    angle = np.radians(np.linspace(start, end, max(4, int(abs(end - start) / 4))))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def regular(n: int, radius: float, turn: float) -> Points:
    """Corners of a regular polygon, the first at `turn` degrees."""
    angle = np.radians(turn + np.arange(n) * 360 / n)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


class Canvas:
    """Shapes painted one over another."""

    def __init__(self) -> None:
        self._colour = np.zeros((_FINE, _FINE, 3), np.uint8)
        self._element = np.zeros((_FINE, _FINE), np.uint8)

    def fill(self, points: Points, colour: Colour, element: int, *, rounding: float = 0) -> None:
        """A polygon; `rounding` widens it and gives it corners of that radius."""
        fixed = self._fixed(points)
        for layer, value in ((self._colour, colour), (self._element, element)):
            cv2.fillPoly(layer, [fixed], value, cv2.LINE_8, _SHIFT)
        if rounding:
            self.stroke(np.concatenate([points, points[:1]]), 2 * rounding, colour, element, round_ends=True)

    def disc(self, x: float, y: float, radius: float, colour: Colour, element: int) -> None:
        self.fill(arc(x, y, radius, radius, 0, 360), colour, element)

    def stroke(self, points: Points, width: float, colour: Colour, element: int, *, round_ends: bool = False) -> None:
        """A line along `points`, with round joints; its ends are cut square unless asked otherwise."""
        points = np.asarray(points, float)
        for start, end in itertools.pairwise(points):
            along = end - start
            length = np.hypot(*along)
            if length > 0:
                across = np.array([-along[1], along[0]]) / length * width / 2
                self.fill(np.stack([start + across, end + across, end - across, start - across]), colour, element)
        for x, y in points if round_ends else points[1:-1]:
            self.disc(x, y, width / 2, colour, element)

    def finish(self) -> Drawing:
        rgb = self._colour * (self._element > 0)[..., None]
        opacity = np.where(self._element > 0, 255, 0).astype(np.uint8)
        size = (SIDE, SIDE)
        return Drawing(
            rgba=cv2.resize(np.dstack([rgb, opacity]), size, interpolation=cv2.INTER_AREA),
            element=cv2.resize(self._element.astype(np.float32), size, interpolation=cv2.INTER_AREA),
        )

    def _fixed(self, points: Points) -> np.ndarray:
        """OpenCV's fixed-point pixel coordinates; pixel centres lie at whole numbers."""
        return np.rint(((np.asarray(points, float) + 1) * _FINE / 2 - 0.5) * 2**_SHIFT).astype(np.int32)
