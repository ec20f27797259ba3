"""What a, λ, tau and the box do to one weight, beside the weights that the attack ended with."""

import plotly.graph_objects as go
import torch
from torch import Tensor

from explorer.figures.style import FAINT, GREY, SIZE, axis, layout
from explorer.numerics import smoothed_l0, smoothed_l0_slope
from explorer.palette import ACCENT

POINTS = 201
BINS = 40
DOTS = 400  # weights that are drawn, at most
ARROWS = (0.04, 0.08, 0.14, 0.2, 0.28, 0.38, 0.5, 0.65, 0.8, 0.95)  # weights whose pull is drawn
REACH = 0.25  # length of an arrow as strong as the pixel that helps most
HEIGHT = 380
SECOND = "rgb(230, 159, 0)"
BELOW = {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "font": {"size": SIZE}}


def smoothed_step(
    weights: Tensor, *, a: float, lam: float | None, tau: float, surrogate: str, extremes: tuple[float, float] | None
) -> go.Figure:
    """The smoothed step of width `a` with `weights` (n,), in [0, 1], on it; as arrows, how strongly `lam` pulls at a
    weight there, next to the pixel that helps most (None: no arrows); shaded, what the threshold sets to zero.
    `extremes`: the widths that the annealed schedule goes from and to.
    """
    v, width = torch.linspace(0, 1, POINTS), torch.tensor(a)
    above = weights[weights > 0].float()
    above = above[:: -(-len(above) // DOTS) or 1]
    figure = go.Figure()
    for each in extremes or ():
        line = _line(v, smoothed_l0(v, torch.tensor(each), surrogate), f"at width {each:.2g}", FAINT)
        figure.add_trace(line.update(showlegend=False))
    figure.add_trace(_line(v, smoothed_l0(v, width, surrogate), "smoothed step", ACCENT))
    figure.add_trace(
        go.Scatter(
            x=above.tolist(),
            y=smoothed_l0(above, width, surrogate).tolist(),
            name="weights above 0, at the last step",
            mode="markers",
            marker={"color": GREY, "size": 8, "line": {"width": 1, "color": ACCENT}},
            hovertemplate="a weight of %{x:.3f}<extra></extra>",
        )
    )
    figure.add_trace(  # its name in the legend; the arrows are annotations
        go.Scatter(
            x=[None], y=[None], name="λ's pull", mode="markers", showlegend=lam is not None,
            marker={"color": SECOND, "size": 12, "symbol": "arrow-left"},
        )
    )  # fmt: skip
    starts = torch.tensor(ARROWS)
    lengths = REACH * (lam or 0) * smoothed_l0_slope(starts, width, surrogate)
    heights = smoothed_l0(starts, width, surrogate)
    arrows = [
        {
            "x": max(0.0, start - length), "y": height, "ax": start, "ay": height,
            "xref": "x", "yref": "y", "axref": "x", "ayref": "y", "showarrow": True, "text": "",
            "arrowhead": 2, "arrowsize": 1.1, "arrowwidth": 2.5, "arrowcolor": SECOND,
        }
        for start, length, height in zip(starts.tolist(), lengths.tolist(), heights.tolist(), strict=True)
        if length > 0.005
    ]  # fmt: skip
    told = {"text": "τ: set to 0", "x": tau, "y": 0.03, "yref": "paper", "xanchor": "left", "showarrow": False}
    return figure.update_layout(
        layout(
            HEIGHT,
            legend=BELOW,
            xaxis=axis("weight v", range=[-0.01, 1.01]),
            yaxis=axis("counted as", range=[0.45, 1.05]),
            annotations=[*arrows, {**told, "font": {"size": SIZE}}],
            shapes=[
                {
                    "type": "rect", "xref": "x", "yref": "paper", "x0": 0, "x1": tau, "y0": 0, "y1": 1,
                    "fillcolor": FAINT, "line": {"width": 0}, "layer": "below",
                }
            ],
            margin={"l": 8, "r": 8, "t": 12, "b": 8},
        )
    )  # fmt: skip


def threshold_of(tau: float, threshold: str) -> go.Figure:
    """What the threshold leaves of a weight."""
    v = torch.linspace(0, 1, POINTS)
    kept = torch.where(v > tau, v, 0) if threshold == "hard" else torch.relu(v - tau)
    lines = [_line(v, v, "before", GREY, "dot"), _line(v, kept, "after the threshold", ACCENT)]
    return _panel(lines, "weight v", "weight after it")


def room_of(box: str, pixels: Tensor) -> go.Figure:
    """How far a value may move, over the histogram of `pixels`, in [0, 1]."""
    v = torch.linspace(0, 1, POINTS)
    up, down = (1 - v, v) if box == "sign-aware" else (torch.minimum(v, 1 - v),) * 2
    counts = torch.histc(pixels.flatten().float().cpu(), BINS, 0, 1)
    bars = go.Bar(
        x=[(i + 0.5) / BINS for i in range(BINS)],
        y=(counts / counts.max().clamp_min(1)).tolist(),
        customdata=[[int(count)] for count in counts],
        width=1 / BINS,
        name="values of the picture",
        marker={"color": GREY},
        hovertemplate="%{customdata[0]:,} near %{x:.2f}<extra></extra>",
    )
    lines = [_line(v, up, "room upwards", ACCENT), _line(v, down, "room downwards", SECOND, "dash")]
    return _panel([bars, *lines], "value of the picture", "room")


def _panel(traces: list, x: str, y: str) -> go.Figure:
    return go.Figure(
        traces,
        layout(
            HEIGHT,
            legend=BELOW,
            barmode="overlay",
            xaxis=axis(x, range=[0, 1]),
            yaxis=axis(y, range=[0, 1.05]),
            margin={"l": 8, "r": 8, "t": 12, "b": 8},
        ),
    )


def _line(x: Tensor, y: Tensor, name: str, colour: str, dash: str = "solid") -> go.Scatter:
    return go.Scatter(
        x=x.tolist(),
        y=y.tolist(),
        name=name,
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>",
    )
