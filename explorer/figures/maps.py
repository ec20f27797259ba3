"""Signed maps over a picture's pixels."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.style import axis, layout
from explorer.palette import LOOKS
from explorer.types import PixelLabel

SCALE = [[0, "rgb(178, 24, 43)"], [0.5, "rgb(245, 245, 245)"], [1, "rgb(33, 102, 172)"]]  # against, nothing, for


def signed_map(
    values: np.ndarray, limit: float, pixels: Sequence[PixelLabel], selected: Collection[int], unit: str = "logits"
) -> go.Figure:
    """Raw values (h, w) in `unit`, blue for the class and red against it, on a scale from -limit to limit.

    The changed pixels are dark rings of their kind's shape, the selected ones larger; each marker's customdata is
    [index of the pixel].
    """
    height, width = values.shape
    heat = {
        "type": "heatmap",
        "z": np.round(values, 4).tolist(),
        "zmin": -limit,
        "zmax": limit,
        "colorscale": SCALE,
        "colorbar": {"title": {"text": unit, "side": "right"}, "thickness": 12, "len": 0.9},
        "hovertemplate": "row %{y}, column %{x}: %{z:.4f}<extra></extra>",
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [pixel.col for pixel in pixels],
        "y": [pixel.row for pixel in pixels],
        "customdata": [[index] for index in range(len(pixels))],
        "text": [f"row {p.row}, column {p.col}: {p.kind}, {values[p.row, p.col]:.4f}" for p in pixels],
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
            380,
            clickmode="event+select",
            xaxis=axis(range=[-0.5, width - 0.5], showgrid=False, constrain="domain"),
            yaxis=axis(range=[height - 0.5, -0.5], showgrid=False, scaleanchor="x", constrain="domain"),
        ),
    )
