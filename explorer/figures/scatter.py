"""Every changed pixel by its two numbers: how much it obscures, how much it leads."""

from collections.abc import Collection, Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.figures.style import GREY, axis, layout
from explorer.palette import LOOKS
from explorer.types import Kind, PixelLabel


def pixel_scatter(pixels: Sequence[PixelLabel], selected: Collection[int] = (), unit: str = "logits") -> go.Figure:
    """Leading over obscuring, in `unit`, with the diagonal between the two kinds.

    Each marker's customdata is [index of the pixel]; the selected ones wear a ring.
    """
    extent = _extent(pixels)
    traces = [_decoration(x=extent, y=extent, mode="lines", line={"color": GREY, "dash": "dot", "width": 1.5})]
    if selected:
        ring = {"symbol": "circle-open", "size": 26, "color": GREY, "line": {"width": 3}}
        x, y = [pixels[i].obscuring for i in selected], [pixels[i].leading for i in selected]
        traces.append(_decoration(x=x, y=y, mode="markers", marker=ring))
    traces += [_markers(kind, pixels, unit) for kind in LOOKS]
    return go.Figure(
        traces,
        layout(
            340,
            clickmode="event+select",
            xaxis=axis(f"obscuring: lowers the true class, {unit}", range=extent),
            yaxis=axis(f"leading: raises the wrong class, {unit}", range=extent),
        ),
    )


def _markers(kind: Kind, pixels: Sequence[PixelLabel], unit: str) -> dict[str, Any]:
    look = LOOKS[kind]
    members = [(i, pixel) for i, pixel in enumerate(pixels) if pixel.kind == kind]
    members.sort(key=lambda member: member[1].weak)  # the legend shows the first one's mark
    return {
        "type": "scatter",
        "name": kind,
        "mode": "markers",
        "x": [pixel.obscuring for _, pixel in members],
        "y": [pixel.leading for _, pixel in members],
        "customdata": [[i] for i, _ in members],
        "text": [f"row {pixel.row}, column {pixel.col}: {kind}{', weak' * pixel.weak}" for _, pixel in members],
        "marker": {
            "symbol": [look.shape + "-open" * pixel.weak for _, pixel in members] or look.shape,
            "size": 13,
            "color": look.css,
            "line": {"width": 2, "color": look.css},
        },
        "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": f"%{{text}}<br>obscuring %{{x:.2f}} {unit}<br>leading %{{y:.2f}} {unit}<extra></extra>",
    }


def _decoration(**trace: Any) -> dict[str, Any]:
    return {"type": "scatter", "hoverinfo": "skip", "showlegend": False, **trace}


def _extent(pixels: Sequence[PixelLabel]) -> list[float]:
    numbers = [0.0, *(number for pixel in pixels for number in (pixel.obscuring, pixel.leading))]
    margin = 0.12 * (max(numbers) - min(numbers)) or 1.0
    return [min(numbers) - margin, max(numbers) + margin]
