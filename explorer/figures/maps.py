"""Signed maps over a picture's pixels."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.style import SIZE, axis, layout
from explorer.palette import LOOKS, kind_text
from explorer.types import PixelLabel

SCALE = [  # against, nothing, for; the picture is seen through what is small
    [0, "rgba(178, 24, 43, 1)"],
    [0.25, "rgba(210, 90, 90, 0.85)"],
    [0.5, "rgba(245, 245, 245, 0.25)"],
    [0.75, "rgba(90, 150, 205, 0.85)"],
    [1, "rgba(33, 102, 172, 1)"],
]


def signed_map(
    values: np.ndarray,
    limit: float,
    pixels: Sequence[PixelLabel],
    selected: Collection[int],
    unit: str = "logits",
    pixel_unit: str = "logits",
    picture: str = "",
) -> go.Figure:
    """Raw values (h, w) in `unit`, blue for the class and red against it, on a scale from -limit to limit, over the
    `picture`, a data URL.

    The changed pixels are dark rings of their kind's shape, the selected ones larger; each marker's customdata is
    [index of the pixel]. Their two numbers are in `pixel_unit`.
    """
    height, width = values.shape
    heat = {
        "type": "heatmap",
        "z": np.round(values, 4).tolist(),
        "zmin": -limit,
        "zmax": limit,
        "colorscale": SCALE,
        "colorbar": {
            "orientation": "h",  # below: beside the map it would take half of a small screen
            "title": {"text": unit, "side": "bottom", "font": {"size": SIZE}},
            "tickfont": {"size": SIZE},
            "thickness": 12,
            "len": 0.9,
            "tickvals": [-limit, 0, limit],
            "tickformat": ".3g",
            "y": -0.1,
            "yanchor": "top",
        },
        "hovertemplate": f"row %{{y}}, column %{{x}}<br>%{{z:.4f}} {unit}<extra></extra>",
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [pixel.col for pixel in pixels],
        "y": [pixel.row for pixel in pixels],
        "customdata": [[index] for index in range(len(pixels))],
        "text": [
            f"row {pixel.row}, column {pixel.col}: {kind_text(pixel.kind, pixel.weak)}"
            f"<br>obscuring {pixel.obscuring:.2f} {pixel_unit}<br>leading {pixel.leading:.2f} {pixel_unit}"
            f"<br>here {values[pixel.row, pixel.col]:.4f} {unit}"
            for pixel in pixels
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "marker": {
            "symbol": [LOOKS[pixel.kind].shape + "-open" for pixel in pixels],
            "size": [20 if index in selected else 11 for index in range(len(pixels))],
            "color": "rgb(20, 20, 24)",
            "line": {"width": [4 if index in selected else 2 for index in range(len(pixels))]},
        },
        "unselected": {"marker": {"opacity": 1}},
    }
    return go.Figure(
        [heat, marks],
        layout(
            430,
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            clickmode="event+select",
            images=[
                {
                    "source": picture,
                    "xref": "x",
                    "yref": "y",
                    "x": -0.5,
                    "y": -0.5,
                    "sizex": width,
                    "sizey": height,
                    "sizing": "stretch",
                    "layer": "below",
                }
            ]
            if picture
            else [],
            xaxis=axis(range=[-0.5, width - 0.5], showgrid=False, constrain="domain"),
            yaxis=axis(
                range=[height - 0.5, -0.5],
                showgrid=False,
                scaleanchor="x",
                constrain="domain",
                constraintoward="bottom",
            ),
        ),
    )
