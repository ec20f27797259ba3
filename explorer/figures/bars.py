"""Probabilities of the likeliest classes, before and after the attack."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.figures.style import axis, layout, words
from explorer.palette import ACCENT

BEFORE = "rgb(132, 132, 145)"  # these two stand out from a light and a dark page, and from ACCENT and the pixels' kinds
NOW = "rgb(0, 158, 115)"


def top_classes(
    names: Sequence[str], before: Sequence[float], after: Sequence[float], now: Sequence[float] | None = None
) -> go.Figure:
    """Two bars per class, in per cent, or three with `now`; the first class is drawn on top."""
    series = [("before", before, BEFORE), ("after", after, ACCENT)]
    if now is not None:
        series.append(("now", now, NOW))
    bars = [
        {
            "type": "bar",
            "name": when,
            "y": [*map(words, names)],
            "x": [100 * share for share in shares],
            "orientation": "h",
            "marker": {"color": colour, "cornerradius": 3},
            "text": [f"{100 * share:.1f} %" for share in shares] if now is None or when == "now" else None,
            "textposition": "outside",
            "textfont": {"size": 14},
            "constraintext": "none",  # else it shrinks to the height of its bar
            "cliponaxis": False,
            "hovertemplate": "%{y}, " + when + ": %{x:.2f} %<extra></extra>",
        }
        for when, shares, colour in series
    ]
    return go.Figure(
        bars,
        layout(
            340,
            barmode="group",
            bargap=0.28,
            bargroupgap=0.06,
            xaxis=axis("probability, %", range=[0, 124], tickvals=[0, 25, 50, 75, 100]),
            yaxis=axis(autorange="reversed", showgrid=False),
        ),
    )
