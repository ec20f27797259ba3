"""The pictures on signs: arrows, people, cars. Each draws itself into a canvas, in ink."""

import numpy as np

from explorer.signs.canvas import INK, Canvas, Colour, Points, arc


def arrow(
    canvas: Canvas, path: Points, width: float, colour: Colour, *, head: float = 2.6, length: float = 0.0
) -> None:
    """A stroke along `path` that ends in a head, `head` times as wide as the stroke; its tip lies beyond the path."""
    path = np.asarray(path, float)
    forward = path[-1] - path[-2]
    forward /= np.hypot(*forward)
    across = np.array([-forward[1], forward[0]]) * width * head / 2
    tip = path[-1] + forward * (length or width * head * 0.62)
    canvas.stroke(path, width, colour, INK)
    canvas.fill(np.stack([path[-1] - forward * 0.01 + across, tip, path[-1] - forward * 0.01 - across]), colour, INK)


def turn_arrow(canvas: Canvas, direction: int, colour: Colour) -> None:
    """An arrow that comes from below and turns right (direction 1) or left (-1)."""
    bend = arc(0.02, 0.07, 0.3, 0.3, 180, 270)
    path = np.concatenate([[(-0.28, 0.66)], bend, [(0.16, -0.23)]])
    arrow(canvas, path * (direction, 1), 0.25, colour, head=2.9, length=0.5)


def ring_of_arrows(canvas: Canvas, colour: Colour) -> None:
    """Three arrows that chase each other anticlockwise, as traffic runs in a roundabout on the right."""
    for start in (-20, 100, 220):
        arrow(canvas, arc(0, 0, 0.47, 0.47, start, start - 72), 0.19, colour, head=2.5, length=0.34)


def walker(canvas: Canvas, x: float, y: float, scale: float, colour: Colour) -> None:
    """A walking person, 2 x scale high, centred at (x, y)."""

    def at(*points: tuple[float, float]) -> Points:
        return np.array(points) * scale + (x, y)

    (head,) = at((0.1, -0.8))
    canvas.disc(*head, 0.2 * scale, colour, INK)
    canvas.fill(at((-0.08, -0.5), (0.2, -0.5), (0.2, 0.12), (-0.16, 0.12)), colour, INK, rounding=0.07 * scale)
    canvas.stroke(at((0.08, 0.08), (0.3, 0.48), (0.5, 0.98)), 0.2 * scale, colour, INK)
    canvas.stroke(at((-0.04, 0.08), (-0.18, 0.5), (-0.48, 0.96)), 0.2 * scale, colour, INK)
    canvas.stroke(at((0.18, -0.46), (0.38, -0.1), (0.6, 0.08)), 0.14 * scale, colour, INK, round_ends=True)
    canvas.stroke(at((-0.06, -0.46), (-0.34, -0.18), (-0.42, 0.14)), 0.14 * scale, colour, INK, round_ends=True)


def digger(canvas: Canvas, colour: Colour) -> None:
    """A person with a shovel before a heap, for the lower part of a triangle."""
    canvas.disc(-0.02, -0.32, 0.095, colour, INK)
    back, far_leg = np.array([(-0.11, -0.15), (-0.18, 0.17)]), np.array([(-0.16, 0.15), (-0.04, 0.33), (-0.08, 0.57)])
    canvas.stroke(back, 0.2, colour, INK, round_ends=True)
    canvas.stroke(far_leg, 0.11, colour, INK)
    canvas.stroke(np.array([(-0.22, 0.15), (-0.3, 0.35), (-0.42, 0.57)]), 0.11, colour, INK)
    arm, shovel = np.array([(-0.09, -0.15), (0.04, 0.05), (0.16, 0.09)]), np.array([(-0.08, -0.03), (0.34, 0.27)])
    canvas.stroke(arm, 0.075, colour, INK, round_ends=True)
    canvas.stroke(shovel, 0.05, colour, INK, round_ends=True)
    canvas.fill(np.array([(0.14, 0.57), (0.24, 0.39), (0.36, 0.27), (0.47, 0.39), (0.59, 0.57)]), colour, INK)


def car(canvas: Canvas, x: float, y: float, scale: float, colour: Colour, ground: Colour) -> None:
    """A car seen from behind, 2 x scale wide, with a window in the colour of the ground."""

    def at(*points: tuple[float, float]) -> Points:
        return np.array(points) * scale + (x, y)

    canvas.fill(at((-0.55, -0.62), (0.55, -0.62), (0.74, -0.06), (-0.74, -0.06)), colour, INK, rounding=0.08 * scale)
    canvas.fill(at((-0.88, 0.0), (0.88, 0.0), (0.88, 0.42), (-0.88, 0.42)), colour, INK, rounding=0.1 * scale)
    for side in (-1, 1):
        canvas.fill(at((side * 0.9, 0.4), (side * 0.9, 0.76), (side * 0.55, 0.76), (side * 0.55, 0.4)), colour, INK)
    canvas.fill(at((-0.42, -0.46), (0.42, -0.46), (0.54, -0.08), (-0.54, -0.08)), ground, INK)
