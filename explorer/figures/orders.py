"""Deletion and insertion curves, and when pixels came and went."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.figures.style import GREY, LEGEND, axis, layout
from explorer.palette import ACCENT, LOOKS
from explorer.types import PixelLabel

STAIR = 16  # CSS pixels from the name of one stage up to the next


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
    lives: Mapping[int, Sequence[tuple[int, int]]],
    width: int,
    stages: Sequence[str],
    pixels: Sequence[PixelLabel],
    selected: Collection[int] = (),
) -> go.Figure:
    """When pixels came and went: one line per pixel, from frame to frame of a film; those that are left at the end
    in the colour of their kind, the selected ones of them thick. `lives` has the stretches (first, last) of each pixel,
    row * width + column, and `stages` the stage of each frame.
    """
    kinds = {pixel.row * width + pixel.col: pixel.kind for pixel in pixels}
    thick = {pixels[index].row * width + pixels[index].col for index in selected}
    names = {pixel: f"{pixel // width}, {pixel % width}" for pixel in lives}
    traces = []
    for kind, colour in [*((kind, look.css) for kind, look in LOOKS.items()), (None, GREY)]:
        members = [pixel for pixel in lives if kinds.get(pixel) == kind]
        for chosen, line in ((members, 7), ([pixel for pixel in members if pixel in thick], 14)):
            ends = [(names[pixel], *stretch) for pixel in chosen for stretch in lives[pixel]]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": kind or "gone again",
                    "showlegend": chosen is members,
                    "x": [x for _, first, last in ends for x in (first, last + 1, None)],
                    "y": [y for name, _, _ in ends for y in (name, name, None)],
                    "text": [
                        f"row, column {name}: frames {first} ({stages[first]}) to {last} ({stages[last]})"
                        for name, first, last in ends
                        for _ in range(3)
                    ],
                    "line": {"color": colour, "width": line},
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
    borders = [number for number in range(1, len(stages)) if stages[number] != stages[number - 1]]
    border = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY, "width": 1}}
    top = 52 + STAIR * len(borders)
    return go.Figure(
        traces,
        layout(
            top + max(184, 64 + 15 * len(names)),
            margin={"l": 8, "r": 8, "t": top, "b": 8},
            legend={**LEGEND, "yref": "container", "y": 1, "yanchor": "top"},
            xaxis=axis("frame of the film", range=[0, len(stages)]),
            yaxis=axis(
                "row, column",
                type="category",
                categoryorder="array",
                categoryarray=list(names.values())[::-1],
                dtick=1,
                range=[-0.7, len(names) - 0.3],
            ),
            shapes=[{**border, "x0": x, "x1": x} for x in borders],
            annotations=[
                _flag(stages[x], x, STAIR * stair, x < len(stages) / 2) for stair, x in enumerate(borders, start=1)
            ],
        ),
    )


def _flag(text: str, x: float, height: float, to_the_right: bool) -> dict[str, Any]:
    """The name of a border on a mast so many CSS pixels high: late borders are too close for names side by side."""
    return {
        "text": text,
        "x": x,
        "y": 1,
        "yref": "paper",
        "ax": 0,
        "ay": -height,
        "xanchor": "left" if to_the_right else "right",
        "yanchor": "middle",
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": GREY,
        "font": {"size": 14},
    }
