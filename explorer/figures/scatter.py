"""Every changed pixel by its two numbers: how much it obscures, how much it leads."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.figures.style import GREY, frame
from explorer.palette import LOOKS
from explorer.types import PixelLabel


def pixel_scatter(pixels: Sequence[PixelLabel], selected: int | None = None) -> go.Figure:
    """Leading over obscuring, in logits, with the diagonal between the two kinds.

    Each marker's customdata is [index of the pixel]; the selected one wears a ring.
    """
    figure = go.Figure()
    low, high = _extent(pixels)
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    if selected is not None:
        figure.add_scatter(
            x=[pixels[selected].obscuring],
            y=[pixels[selected].leading],
            mode="markers",
            marker={"symbol": "circle-open", "size": 26, "color": GREY, "line": {"width": 3}},
            hoverinfo="skip",
            showlegend=False,
        )
    for kind, look in LOOKS.items():
        members = [(i, pixel) for i, pixel in enumerate(pixels) if pixel.kind == kind]
        figure.add_scatter(
            name=kind,
            x=[pixel.obscuring for _, pixel in members],
            y=[pixel.leading for _, pixel in members],
            customdata=[[i] for i, _ in members],
            text=[
                f"row {pixel.row}, column {pixel.col}: {kind}{', weak' if pixel.weak else ''}" for _, pixel in members
            ],
            mode="markers",
            marker={
                "symbol": [look.shape + ("-open" if pixel.weak else "") for _, pixel in members] or look.shape,
                "size": 13,
                "color": look.css,
                "line": {"width": 2, "color": look.css},
            },
            unselected={"marker": {"opacity": 1}},
            hovertemplate="%{text}<br>obscuring %{x:.2f} logits<br>leading %{y:.2f} logits<extra></extra>",
        )
    frame(figure, height=340)
    figure.update_layout(clickmode="event+select")
    figure.update_xaxes(title="obscuring: lowers the true class, logits", range=[low, high])
    figure.update_yaxes(title="leading: raises the wrong class, logits", range=[low, high])
    return figure


def _extent(pixels: Sequence[PixelLabel]) -> tuple[float, float]:
    numbers = [0.0, *(number for pixel in pixels for number in (pixel.obscuring, pixel.leading))]
    margin = 0.12 * (max(numbers) - min(numbers)) or 1.0
    return min(numbers) - margin, max(numbers) + margin
