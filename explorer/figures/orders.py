"""Deletion and insertion curves, and when pixels came and went."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from explorer.figures.style import GREY, axis, layout
from explorer.palette import ACCENT, LOOKS
from explorer.types import PixelLabel


def order_curve(scored: Sequence[float], random: Sequence[float], does: str) -> go.Figure:
    """What is left over of the attack's effect, in per cent, after so many pixels in the order of the scores, and on
    average in random order. `does` says what is done with the pixels.
    """
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": list(range(len(heights))),
            "y": [100 * height for height in heights],
            "line": {"color": colour, "width": 2, "dash": dash},
            "hovertemplate": name + ", %{x} pixels: %{y:.1f} %<extra></extra>",
        }
        for name, heights, colour, dash in (
            ("random order", random, GREY, "dot"),
            ("highest numbers first", scored, ACCENT, "solid"),
        )
    ]
    return go.Figure(lines, layout(280, xaxis=axis(f"pixels {does}"), yaxis=axis("left to do, %")))


def pixel_lives(
    lives: Mapping[int, Sequence[tuple[int, int]]], width: int, n_frames: int, pixels: Sequence[PixelLabel]
) -> go.Figure:
    """When pixels came and went: one line per pixel, from frame to frame; those that are left at the end in the colour
    of their kind. `lives` has the stretches (first, last) of each pixel, row * width + column.
    """
    kinds = {pixel.row * width + pixel.col: pixel.kind for pixel in pixels}
    names = [f"{pixel // width}, {pixel % width}" for pixel in lives]
    traces = []
    for kind, colour in [*((kind, look.css) for kind, look in LOOKS.items()), (None, GREY)]:
        x, y, text = [], [], []
        for name, (pixel, stretches) in zip(names, lives.items(), strict=True):
            if kinds.get(pixel) == kind:
                for first, last in stretches:
                    x += [first, last + 1, None]
                    y += [name, name, None]
                    text += [f"pixel {name}: frames {first} to {last}"] * 2 + [""]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": kind or "gone again",
                "x": x,
                "y": y,
                "text": text,
                "line": {"color": colour, "width": 7},
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return go.Figure(
        traces,
        layout(
            max(220, 100 + 15 * len(names)),
            xaxis=axis("frame", range=[0, n_frames]),
            yaxis=axis("row, column", type="category", categoryorder="array", categoryarray=names[::-1], dtick=1),
        ),
    )
