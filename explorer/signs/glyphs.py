"""Digits and letters as strokes of one width, after the way road signs are lettered."""

import numpy as np

from explorer.signs.canvas import INK, Canvas, Colour, Points, arc


def _path(*pieces: Points | tuple[float, float]) -> Points:
    return np.concatenate([np.atleast_2d(piece) for piece in pieces])


_OVAL = _path(arc(0.25, 0.26, 0.25, 0.26, -180, 0), arc(0.25, 0.74, 0.25, 0.26, 0, 180), (0, 0.26))

# Centre lines in a box of height 1, y downwards. 3, 5, 6 and 8 are equally wide, so that what follows them stays put.
_STROKES: dict[str, tuple[Points, ...]] = {
    "0": (_OVAL,),
    "1": (_path((0, 0.28), (0.24, 0.0), (0.24, 1.07)),),
    "3": (_path(arc(0.24, 0.245, 0.23, 0.245, -165, 90), arc(0.24, 0.735, 0.26, 0.265, -90, 162)),),
    "5": (_path((0.48, 0), (0.08, 0), (0.05, 0.44), arc(0.24, 0.69, 0.26, 0.31, -138, 158)),),
    "6": (
        arc(0.25, 0.7, 0.25, 0.3, 0, 360),
        _path((0, 0.72), (0.01, 0.56), (0.07, 0.4), (0.17, 0.24), (0.29, 0.09), (0.39, -0.04)),
    ),
    "8": (arc(0.25, 0.24, 0.215, 0.24, 0, 360), arc(0.25, 0.735, 0.25, 0.265, 0, 360)),
    "S": (_path(arc(0.24, 0.25, 0.23, 0.25, -22, -270), arc(0.24, 0.75, 0.24, 0.25, -90, 158)),),
    "T": (_path((-0.06, 0), (0.56, 0)), _path((0.25, 0), (0.25, 1.08))),
    "O": (_OVAL,),
    "P": (_path((0, 1.08), (0, 0), (0.23, 0), arc(0.23, 0.28, 0.25, 0.28, -90, 90), (0, 0.56)),),
}


def write(
    canvas: Canvas, text: str, *, x: float, y: float, height: float, width: float, weight: float, colour: Colour
) -> None:
    """Write `text` centred at (x, y); `height` and `width` scale the glyphs, `weight` is the strokes' width."""
    inner = height - weight  # the centre lines end half a stroke before the edges
    widths = [max(stroke[:, 0].max() for stroke in _STROKES[glyph]) * inner * width for glyph in text]
    gap = 1.5 * weight
    left = x - (sum(widths) + gap * (len(text) - 1)) / 2
    for glyph, advance in zip(text, widths, strict=True):
        for stroke in _STROKES[glyph]:
            points = stroke * (inner * width, inner) + (left, y - inner / 2)
            canvas.stroke(points, weight, colour, INK)
        left += advance + gap
