"""How often labels fall where the ground truth says, against chance."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from explorer.figures.style import GREY, axis, layout
from explorer.palette import LOOKS
from explorer.types import Kind

KEYS: dict[Kind, tuple[str, str]] = {
    "obscuring": ("obscuring_on_true", "obscuring_chance"),
    "leading": ("leading_on_wrong", "leading_chance"),
}


def truth_reach(rows: Sequence[Mapping[str, float]]) -> float:
    """Where an axis ends that holds both kinds of pixel, in per cent."""
    ends = [100 * row[f"{key}_high"] for row in rows for keys in KEYS.values() for key in keys]
    return 5 * math.ceil(max((end for end in ends if not math.isnan(end)), default=100) / 5 + 0.2)


def truth_rates(names: Sequence[str], rows: Sequence[Mapping[str, float]], kind: Kind, reach: float) -> go.Figure:
    """One mark per method, in per cent, with its 95 % confidence interval, and beside it chance, a random pixel of
    the sign. `rows` carry the rates by the names of trials.localisation, with _low and _high; the axis ends at `reach`.
    """
    look, (key, chance) = LOOKS[kind], KEYS[kind]
    whose = {"obscuring": "the true sign's own", "leading": "the wrong sign's own"}[kind]
    known = [row[key] == row[key] for row in rows]
    labels = [name for name, yes in zip(names, known, strict=True) if yes]
    rows = [row for row, yes in zip(rows, known, strict=True) if yes]
    traces = []
    for title, which, colour, symbol in (
        ("chance", chance, GREY, "line-ns-open"),
        (f"{kind} pixels", key, look.css, look.shape),
    ):
        value = [100 * row[which] for row in rows]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": title,
                "x": value,
                "y": labels,
                "marker": {"color": colour, "symbol": symbol, "size": 13, "line": {"width": 2, "color": colour}},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * row[f"{which}_high"] - v for row, v in zip(rows, value, strict=True)],
                    "arrayminus": [v - 100 * row[f"{which}_low"] for row, v in zip(rows, value, strict=True)],
                    "color": colour,
                    "thickness": 2,
                    "width": 0,
                },
                "cliponaxis": False,
                "hovertemplate": "%{y}, " + title + ": %{x:.1f} %<extra></extra>",
            }
        )
    return go.Figure(
        traces,
        layout(
            110 + 34 * len(labels),
            xaxis=axis(f"on what is {whose}, %", range=[0, reach]),
            yaxis=axis(autorange="reversed", showgrid=False),
        ),
    )
