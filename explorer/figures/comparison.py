"""Networks, attacks and defences side by side: a matrix of shares, curves, and shares with their intervals."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import plotly.graph_objects as go

from explorer.figures.curves import COLOURS
from explorer.figures.style import axis, layout, words
from explorer.numerics import Share, percent

WIDTH = 14  # letters of a line of a network's name
ROW, GAP = 64, 0.22  # CSS pixels of a row of the matrix; distance of two marks in a row of intervals
SCALE = [  # pale for long, so that Plotly finds readable letters for each
    [0, "rgb(240, 238, 250)"],
    [0.6, "rgb(205, 199, 240)"],
    [0.61, "rgb(95, 83, 192)"],
    [1, "rgb(75, 63, 176)"],
]
SYMBOLS = ("circle", "diamond", "square", "triangle-up")
DASHES = ("solid", "dot", "dashdot", "longdash")


def share_matrix(
    names: Sequence[str],
    shares: Sequence[Sequence[Share]],
    rows: str,
    columns: str,
    *,
    more: Sequence[str] = (),
    clickable: bool = True,
) -> go.Figure:
    """Row by column, each share in its cell; a click on a cell reports [row, column]. `names` are those of the columns
    and of the first rows, `more` those of the rows after them.
    """
    n_rows, n = len(shares), len(names)
    lines = [*names, *more]
    titles = [_wrapped(name, WIDTH, break_long_words=False) for name in lines]
    cells = [(i, j) for i in range(n_rows) for j in range(n)]
    map_ = go.Heatmap(
        z=[[share.value if share.of else None for share in line] for line in shares],
        text=[[_in_cell(share) for share in line] for line in shares],
        texttemplate="%{text}",
        textfont={"size": 14},
        zmin=0,
        zmax=1,
        colorscale=SCALE,
        showscale=False,
        hoverinfo="skip",
        xgap=3,
        ygap=3,
    )
    targets = go.Scatter(
        x=[j for _, j in cells],
        y=[i for i, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 44, "color": "rgba(0, 0, 0, 0)"},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[[i, j] for i, j in cells] if clickable else None,
        text=[f"{words(lines[i])} → {words(names[j])}<br>{words(told(shares[i][j]))}" for i, j in cells],
        hovertemplate="%{text}" + "<br>click: its pictures" * clickable + "<extra></extra>",
    )
    stops = {"tickvals": [*range(n_rows)], "ticktext": titles, "ticklabeloverflow": "allow", "showgrid": False}
    return go.Figure(
        [map_, targets],
        layout(
            110 + ROW * n_rows,
            xaxis=axis(columns, side="top", range=[-0.5, n - 0.5], **stops),
            yaxis=axis(rows, range=[n_rows - 0.5, -0.5], **stops),
            clickmode="event+select" if clickable else "none",
            showlegend=False,
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
        ),
    )


def fooled_curves(curves: Mapping[str, Sequence[Share]], worst: Sequence[Share] = ()) -> go.Figure:
    """How many pictures are fooled by at most 0, 1, 2, ... pixels, one curve per attack or network; `worst`: by any of
    them.
    """
    traces = [
        _steps(name, shares, COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)], 2.5)
        for i, (name, shares) in enumerate(curves.items())
    ]
    if worst and len(curves) > 1:
        traces.insert(0, _steps("any of them", worst, "rgba(128, 128, 140, 0.45)", "solid", 8))
    height, top = (400, 60) if len(traces) > 1 else (320, 36)  # with a legend, and without
    return go.Figure(
        traces,
        layout(
            height,
            xaxis=axis("at most so many changed pixels", rangemode="tozero", hoverformat=",d"),
            yaxis=axis("fooled, %", range=[-4, 104]),
            hovermode="x unified",
            margin={"l": 8, "r": 8, "t": top, "b": 8},
        ),
    )


def share_intervals(rows: Sequence[str], series: Mapping[str, Sequence[Share]]) -> go.Figure:
    """One row per name, in it one mark per series with its 95 % interval; shares of nothing are left out."""
    traces = []
    for number, (name, shares) in enumerate(series.items()):
        shown = [(row, share) for row, share in enumerate(shares) if share.of]
        colour = COLOURS[number % len(COLOURS)]
        low, high = ([100 * share.interval[end] for _, share in shown] for end in (0, 1))
        value = [100 * share.value for _, share in shown]
        traces.append(
            go.Scatter(
                x=value,
                y=[row + GAP * (number - (len(series) - 1) / 2) for row, _ in shown],
                name=words(name),
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 12},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [h - v for h, v in zip(high, value, strict=True)],
                    "arrayminus": [v - each for each, v in zip(low, value, strict=True)],
                    "color": colour,
                    "thickness": 2,
                    "width": 0,
                },
                cliponaxis=False,
                text=[f"{words(rows[row])}, {words(name)}: {words(told(share))}" for row, share in shown],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    titles = [_wrapped(name, 18) for name in rows]
    return go.Figure(
        traces,
        layout(
            130 + 70 * len(rows),
            xaxis=axis("of the pictures, %", range=[-3, 103]),
            yaxis=axis(tickvals=[*range(len(rows))], ticktext=titles, range=[len(rows) - 0.5, -0.5], showgrid=False),
            legend_traceorder="normal",
            margin={"l": 8, "r": 8, "t": 70, "b": 8},
        ),
    )


def told(share: Share) -> str:
    """A share with its interval, in words."""
    if not share.of:
        return "no picture counts"
    low, high = share.interval
    return f"{percent(share.value)}, {share.hits} of {share.of} (95 %: {100 * low:.0f} to {100 * high:.0f} %)"


def _wrapped(name: str, width: int, **how: bool) -> str:
    return "<br>".join(map(words, wrap(name, width, **how)))


def _in_cell(share: Share) -> str:
    return f"<b>{words(percent(share.value))}</b><br>{share.hits}/{share.of}" if share.of else "–"


def _steps(name: str, shares: Sequence[Share], colour: str, dash: str, width: float) -> go.Scatter:
    heights = [100 * share.value for share in shares]
    return go.Scatter(
        x=[*range(len(shares)), len(shares) - 0.6],  # else the last step is not seen
        y=[*heights, *heights[-1:]],
        name=words(name),
        mode="lines",
        line={"color": colour, "width": width, "dash": dash, "shape": "hv"},
        hovertemplate=f"{words(name)}: %{{y:.0f}} %<extra></extra>",
    )
