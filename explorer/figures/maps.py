"""Signed maps over a picture's pixels."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.style import axis, layout
from explorer.palette import LOOKS, kind_text
from explorer.types import PixelLabel

SCALE = [[0, "rgb(178, 24, 43)"], [0.5, "rgb(245, 245, 245)"], [1, "rgb(33, 102, 172)"]]  # against, nothing, for


def signed_map(
    values: np.ndarray,
    limit: float,
    pixels: Sequence[PixelLabel],
    selected: Collection[int],
    unit: str = "logits",
    pixel_unit: str = "logits",
) -> go.Figure:
    """Raw values (h, w) in `unit`, blue for the class and red against it, on a scale from -limit to limit.

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
            "title": {"text": unit, "side": "bottom"},
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
