"""The signs, drawn as vectors after the Vienna Convention on Road Signs and Signals (1968)."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from explorer.signs.canvas import FACE, INK, Canvas, Drawing, arc, regular
from explorer.signs.glyphs import write
from explorer.signs.pictograms import arrow, car, digger, ring_of_arrows, turn_arrow, walker

RED, BLUE, YELLOW = (196, 30, 38), (20, 84, 164), (250, 198, 28)
BLACK, WHITE = (24, 24, 26), (246, 246, 242)


def _disc(canvas: Canvas, ground: tuple, border: tuple, width: float) -> None:
    canvas.disc(0, 0, 0.97, border, INK)
    canvas.disc(0, 0, 0.97 - width, ground, FACE)


def _triangle(canvas: Canvas, turn: float) -> None:
    """A white triangle with a red border, its tip at `turn` degrees."""
    middle = (0, 0.2 if turn < 0 else -0.2)
    canvas.fill(regular(3, 1.04, turn) + middle, RED, INK, rounding=0.08)
    canvas.fill(regular(3, 0.72, turn) + middle, WHITE, FACE, rounding=0.03)


def _stop(canvas: Canvas) -> None:
    canvas.fill(regular(8, 1.02, 22.5), WHITE, INK)
    canvas.fill(regular(8, 0.94, 22.5), RED, FACE)
    write(canvas, "STOP", x=0, y=0, height=0.66, width=0.72, weight=0.125, colour=WHITE)


def _yield(canvas: Canvas) -> None:
    _triangle(canvas, 90)


def _no_entry(canvas: Canvas) -> None:
    _disc(canvas, RED, WHITE, 0.05)
    canvas.fill(np.array([(-0.68, -0.18), (0.68, -0.18), (0.68, 0.18), (-0.68, 0.18)]), WHITE, INK)


def _priority(canvas: Canvas) -> None:
    canvas.fill(regular(4, 0.94, 0), BLACK, INK, rounding=0.06)
    canvas.fill(regular(4, 0.91, 0), WHITE, INK, rounding=0.05)
    canvas.fill(regular(4, 0.62, 0), YELLOW, FACE, rounding=0.03)


def _speed_limit(number: str, canvas: Canvas) -> None:
    _disc(canvas, WHITE, RED, 0.19)
    wide = len(number) == 3
    size = {"height": 0.74, "width": 0.76, "weight": 0.13} if wide else {"height": 0.86, "width": 1.02, "weight": 0.155}
    write(canvas, number, x=0, y=0, colour=BLACK, **size)


def _turn(direction: int, canvas: Canvas) -> None:
    _disc(canvas, BLUE, WHITE, 0.05)
    turn_arrow(canvas, direction, WHITE)


def _straight_on(canvas: Canvas) -> None:
    _disc(canvas, BLUE, WHITE, 0.05)
    arrow(canvas, np.array([(0, 0.7), (0, -0.2)]), 0.27, WHITE, head=2.9, length=0.54)


def _keep_right(canvas: Canvas) -> None:
    _disc(canvas, BLUE, WHITE, 0.05)
    arrow(canvas, np.array([(-0.47, -0.47), (0.13, 0.13)]), 0.27, WHITE, head=2.9, length=0.52)


def _roundabout(canvas: Canvas) -> None:
    _disc(canvas, BLUE, WHITE, 0.05)
    ring_of_arrows(canvas, WHITE)


def _pedestrians(canvas: Canvas) -> None:
    square = np.array([(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)])
    canvas.fill(square, WHITE, INK, rounding=0.1)
    canvas.fill(square * 0.96, BLUE, FACE, rounding=0.08)
    canvas.fill(np.array([(0, -0.74), (0.78, 0.66), (-0.78, 0.66)]), WHITE, INK)
    walker(canvas, 0, 0.14, 0.46, BLACK)


def _road_works(canvas: Canvas) -> None:
    _triangle(canvas, -90)
    digger(canvas, BLACK)


def _caution(canvas: Canvas) -> None:
    _triangle(canvas, -90)
    bar = np.concatenate([arc(0, -0.2, 0.13, 0.13, 180, 360), [(0.065, 0.3), (-0.065, 0.3)]])
    canvas.fill(bar, BLACK, INK)
    canvas.disc(0, 0.47, 0.11, BLACK, INK)


def _no_overtaking(canvas: Canvas) -> None:
    _disc(canvas, WHITE, RED, 0.17)
    car(canvas, -0.34, 0.02, 0.32, RED, WHITE)
    car(canvas, 0.34, 0.02, 0.32, BLACK, WHITE)


_FACES: dict[str, Callable[[Canvas], None]] = {
    "Stop": _stop,
    "Yield": _yield,
    "No entry": _no_entry,
    "Priority road": _priority,
    "Speed limit 30": partial(_speed_limit, "30"),
    "Speed limit 50": partial(_speed_limit, "50"),
    "Speed limit 60": partial(_speed_limit, "60"),
    "Speed limit 80": partial(_speed_limit, "80"),
    "Speed limit 100": partial(_speed_limit, "100"),
    "Turn left": partial(_turn, -1),
    "Turn right": partial(_turn, 1),
    "Straight on": _straight_on,
    "Roundabout": _roundabout,
    "Keep right": _keep_right,
    "Pedestrians": _pedestrians,
    "Road works": _road_works,
    "General caution": _caution,
    "No overtaking": _no_overtaking,
}

CLASS_NAMES: tuple[str, ...] = tuple(_FACES)


@cache
def face(class_index: int) -> Drawing:
    """The sign of this class, straight on. Drawn once and kept: treat it as read-only."""
    canvas = Canvas()
    _FACES[CLASS_NAMES[class_index]](canvas)
    return canvas.finish()
