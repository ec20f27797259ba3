"""What a, tau and the box do to one weight, beside the weights that the attack ended with."""

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from explorer.figures.style import GREY, axis, layout
from explorer.numerics import smoothed_l0, smoothed_l0_slope
from explorer.palette import ACCENT

POINTS = 201
BINS = 40
SECOND = "rgb(230, 159, 0)"


def mechanics(
    weights: Tensor, *, a: float, tau: float, surrogate: str, threshold: str, box: str, pixels: Tensor
) -> go.Figure:
    """Three panels: the smoothed step and its slope over the histogram of `weights` (n,), in [0, 1]; what the threshold
    leaves of a weight; how far a value (histogram of `pixels`, in [0, 1]) may move.
    """
    v = torch.linspace(0, 1, POINTS)
    width = torch.tensor(a)
    figure = make_subplots(
        1,
        3,
        horizontal_spacing=0.09,
        subplot_titles=("a: the smoothed step", "τ: the threshold", "the box"),
        specs=[[{"secondary_y": True}, {}, {"secondary_y": True}]],
    )
    figure.add_trace(_histogram(weights[weights > 0], "weights above 0"), row=1, col=1, secondary_y=True)
    figure.add_trace(_line(v, smoothed_l0(v, width, surrogate), "smoothed step", ACCENT), row=1, col=1)
    slope = smoothed_l0_slope(v, width, surrogate)
    figure.add_trace(_line(v, slope, f"its slope: the {surrogate}'s", SECOND, "dash"), row=1, col=1)

    kept = torch.where(v > tau, v, 0) if threshold == "hard" else torch.relu(v - tau)
    figure.add_trace(_line(v, v, "before", GREY, "dot"), row=1, col=2)
    figure.add_trace(_line(v, kept, "after the threshold", ACCENT), row=1, col=2)

    up, down = (1 - v, v) if box == "sign-aware" else (torch.minimum(v, 1 - v),) * 2
    figure.add_trace(_histogram(pixels.flatten(), "values of the picture"), row=1, col=3, secondary_y=True)
    figure.add_trace(_line(v, up, "room upwards", ACCENT), row=1, col=3)
    figure.add_trace(_line(v, down, "room downwards", SECOND, "dash"), row=1, col=3)

    for column, title in enumerate(("weight v", "weight v", "value of the picture"), 1):
        figure.update_xaxes(axis(title, range=[0, 1]), col=column)
    figure.update_yaxes(axis("", range=[0, 1.05]), secondary_y=False)
    figure.update_yaxes(axis("", range=[0, 1.05]), row=1, col=2)
    figure.update_yaxes(axis("", showgrid=False, showticklabels=False), secondary_y=True)
    figure.update_layout(
        layout(340, barmode="overlay", legend={"orientation": "h", "y": -0.3, "yanchor": "top"}, margin={"t": 40})
    )
    figure.update_annotations(font={"size": 14})
    return figure


def _line(x: Tensor, y: Tensor, name: str, colour: str, dash: str = "solid") -> go.Scatter:
    return go.Scatter(
        x=x.tolist(),
        y=y.tolist(),
        name=name,
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
    )


def _histogram(values: Tensor, name: str) -> go.Bar:
    counts = torch.histc(values.float().cpu(), BINS, 0, 1)
    return go.Bar(
        x=[(i + 0.5) / BINS for i in range(BINS)],
        y=counts.int().tolist(),
        width=1 / BINS,
        name=name,
        marker={"color": GREY},
        hovertemplate="%{y:,} near %{x:.2f}<extra></extra>",
    )
