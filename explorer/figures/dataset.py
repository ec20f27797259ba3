"""What an attack did to a whole data set: how many pixels, which class became which, which kinds, and where."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.comparison import SYMBOLS
from explorer.figures.curves import COLOURS
from explorer.figures.style import GREY, SIZE, axis, layout, words
from explorer.palette import ACCENT, LOOKS

BINS = 30  # of a histogram, about
PAD = 18  # CSS pixels between two classes of a flow
TICKS = 6  # of so few pictures each has a tick: else there are some between whole numbers
LONGEST = 28  # letters of a class's name
Interval = tuple[float, float, float]  # value, low, high: shares; NaN where there is none


def pixel_histogram(counts: Mapping[str, Sequence[int]]) -> go.Figure:
    """Pictures by how many pixels it took, one row of bars per network."""
    most = max((max(of) for of in counts.values() if of), default=1)
    width = max(1, -(-most // BINS))
    edges = np.arange(1, most + width + 1, width)
    bars = []
    for number, (name, of) in enumerate(counts.items()):
        heights = np.histogram(list(of), edges)[0] if len(edges) > 1 else np.array([len(of)])
        last = [int(edge) + width - 1 for edge in edges[: len(heights)]]
        told = [
            f"{first} pixel{'s' * (first != 1)}" if first == end else f"{first} to {end} pixels"
            for first, end in zip(map(int, edges), last, strict=False)
        ]
        bars.append(
            {
                "type": "bar",
                "name": _name(name),
                "x": [(first + end) / 2 for first, end in zip(edges, last, strict=False)],
                "y": heights.tolist(),
                "marker": {"color": COLOURS[number % len(COLOURS)]},
                "text": told,
                "textposition": "none",
                "hovertemplate": "%{text}: %{y} pictures<extra></extra>",
            }
        )
    highest = max((max(bar["y"], default=0) for bar in bars), default=0)
    return go.Figure(
        bars,
        layout(
            320,
            barmode="group",
            bargap=0.12,
            showlegend=len(counts) > 1,
            xaxis=axis("changed pixels of the fooled pictures", showgrid=False, tickformat=",d", rangemode="tozero"),
            yaxis=axis("pictures", tickformat=",d", **({"dtick": 1} if highest < TICKS else {})),
        ),
    )


def class_flow(flows: Sequence[tuple[str, str, int]], others: str = "") -> go.Figure:
    """From the true class, on the left, to the one that the network then sees; as wide as there are pictures. `others`:
    what the rest is called, which comes last.
    """
    left, right = ({}, {})
    for true, wrong, count in flows:
        left[true] = left.get(true, 0) + count
        right[wrong] = right.get(wrong, 0) + count
    sides = [sorted(side, key=lambda name: (name == others, -side[name], name)) for side in (left, right)]
    place = [{name: i for i, name in enumerate(sides[0])}, {name: i + len(left) for i, name in enumerate(sides[1])}]
    colours = {name: COLOURS[i % (len(COLOURS) - 1)] for i, name in enumerate(sides[0])} | {
        others: "rgb(128, 128, 140)"
    }
    most = max(len(left), len(right), 1)
    room = 88 + 30 * most
    figure = go.Sankey(
        arrangement="fixed",
        textfont={"size": SIZE, "shadow": "none"},
        node={
            "label": [
                f"{_name(name)} {side[name]}" for side, names in ((left, sides[0]), (right, sides[1])) for name in names
            ],
            "x": [0.001] * len(left) + [0.999] * len(right),
            "y": [y for sums, side in zip((left, right), sides, strict=True) for y in _middles(sums, side, room, most)],
            "color": [*(colours[name] for name in sides[0]), *[GREY] * len(right)],
            "pad": PAD,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label} pictures<extra></extra>",
        },
        link={
            "source": [place[0][true] for true, _, _ in flows],
            "target": [place[1][wrong] for _, wrong, _ in flows],
            "value": [count for _, _, count in flows],
            "color": [colours[true].replace("rgb", "rgba").replace(")", ", 0.35)") for true, _, _ in flows],
            "customdata": [f"{_name(true)} → {_name(wrong)}" for true, wrong, _ in flows],
            "hovertemplate": "%{customdata}: %{value} pictures<extra></extra>",
        },
    )
    return go.Figure(figure, layout(room + 32, margin={"l": 8, "r": 8, "t": 16, "b": 16}))


def class_shares(rows: Sequence[str], series: Mapping[str, Sequence[Interval]]) -> go.Figure:
    """Obscuring pixels of all changed ones, in per cent: a row per class, a mark per network, with its 95 % interval
    where there is one; without one, the mark is hollow. The dashed line is an even share.
    """
    traces = []
    for number, (name, intervals) in enumerate(series.items()):
        shown = [(row, each) for row, each in enumerate(intervals) if each[0] == each[0]]
        colour, symbol = COLOURS[number % len(COLOURS)], SYMBOLS[number % len(SYMBOLS)]
        offset = 0.6 * ((number + 0.5) / len(series) - 0.5)
        firm = [each[1] == each[1] for _, each in shown]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": _name(name),
                "x": [100 * each[0] for _, each in shown],
                "y": [row + offset for row, _ in shown],
                "marker": {
                    "color": colour,
                    "symbol": [symbol if each else f"{symbol}-open" for each in firm],
                    "size": 10,
                    "line": {"width": 2, "color": colour},
                },
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        100 * (each[2] - each[0]) if yes else 0 for (_, each), yes in zip(shown, firm, strict=True)
                    ],
                    "arrayminus": [
                        100 * (each[0] - each[1]) if yes else 0 for (_, each), yes in zip(shown, firm, strict=True)
                    ],
                    "color": colour,
                    "thickness": 2,
                    "width": 0,
                },
                "cliponaxis": False,
                "text": [f"{_name(rows[row])}, {_name(name)}: {_percent(each)}" for row, each in shown],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    even = {"type": "line", "x0": 50, "x1": 50, "y0": -0.5, "y1": len(rows) - 0.5}
    return go.Figure(
        traces,
        layout(
            110 + max(26, 20 * len(series)) * len(rows),
            shapes=[{**even, "line": {"color": GREY, "width": 1, "dash": "dash"}}],
            showlegend=len(series) > 1,
            xaxis=axis("obscuring, % of changed pixels", range=[-4, 104]),
            yaxis=axis(
                tickvals=[*range(len(rows))],
                ticktext=[_name(row) for row in rows],
                range=[len(rows) - 0.5, -0.5],
                showgrid=False,
            ),
        ),
    )


def place_map(counts: np.ndarray, side: int, size: tuple[int, int]) -> go.Figure:
    """How many changed pixels fell into each cell of `side` x `side` pixels of pictures of `size` = (height, width)."""
    height, width = size
    told = [
        [
            f"rows {side * row} to {min(height, side * (row + 1)) - 1}, "
            f"columns {side * column} to {min(width, side * (column + 1)) - 1}: {count} changed pixels"
            for column, count in enumerate(line)
        ]
        for row, line in enumerate(counts.tolist())
    ]
    heat = {
        "type": "heatmap",
        "z": counts.tolist(),
        "x": [side * (column + 0.5) for column in range(counts.shape[1])],
        "y": [side * (row + 0.5) for row in range(counts.shape[0])],
        "colorscale": "Cividis",
        "zmin": 0,
        "text": told,
        "hovertemplate": "%{text}<extra></extra>",
        "colorbar": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "lenmode": "pixels",
            "len": 300,
            "title": {"text": "changed pixels", "side": "top", "font": {"size": SIZE}},
            "tickfont": {"size": SIZE},
            "tickformat": ",d",
            "thickness": 12,
        },
    }
    return go.Figure(
        heat,
        layout(
            460,
            xaxis=axis(range=[0, width], showgrid=False, constrain="domain", constraintoward="left"),
            yaxis=axis(range=[height, 0], showgrid=False, scaleanchor="x", constrain="domain"),
            margin={"l": 8, "r": 8, "t": 90, "b": 8},
        ),
    )


def marked(picture: str, size: tuple[int, int], pixels: Sequence[tuple[int, int, str, bool]], told: str) -> str:
    """The `picture`, a data URL, of `size` = (height, width), crisp, with a ring around each of the `pixels` (row,
    column, kind, weak), as SVG; dashed where the label is weak, white where there is none. `told`: the same in words.
    """
    height, width = size
    radius = max(1.1, min(size) / 40)
    rings = []
    for row, column, kind, weak in pixels:
        look = LOOKS.get(kind)
        x, y = column + 0.5, row + 0.5
        if look is None or look.shape == "circle":
            shape = f'<circle cx="{x}" cy="{y}" r="{radius:g}"'
        else:
            reach = 1.25 * radius
            corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
            shape = '<polygon points="{}"'.format(" ".join(f"{a:g},{b:g}" for a, b in corners))
        for stroke, thick in (("white", 0.55), (look.css if look else ACCENT, 0.32)):
            dash = f' stroke-dasharray="{radius / 2:g}"' * weak if stroke != "white" else ""
            rings.append(f'{shape} fill="none" stroke="{stroke}" stroke-width="{thick * radius:g}"{dash}/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{html.escape(told)}"><image href="{picture}" width="{width}" height="{height}" '
        f'style="image-rendering: pixelated"/>{"".join(rings)}</svg>'
    )


def _middles(sums: Mapping[str, int], names: Sequence[str], room: float, most: int) -> list[float]:
    """The middle of each node of one side, in [0, 1] where `room` pixels hold `most` nodes at the most."""
    whole = sum(sums.values()) or 1
    scale = (room - PAD * (most - 1)) / whole
    above, found = PAD * (most - len(names)) / 2, []
    for name in names:
        found.append(min(0.999, max(0.001, (above + scale * sums[name] / 2) / room)))
        above += scale * sums[name] + PAD
    return found


def _name(name: str) -> str:
    """A name in a figure, where there is little room."""
    return words(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…")


def _percent(each: Interval) -> str:
    value, low, high = each
    interval = f" (95 %: {100 * low:.0f} to {100 * high:.0f} %)" if low == low else ""
    return f"{100 * value:.0f} %{interval}"
