"""What settings did, as curves: one knob's response, the Pareto front, parallel coordinates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from explorer.figures.scales import log_ticks, short, spans_decades
from explorer.figures.style import GREY, axis, layout, words
from explorer.palette import ACCENT

COLOURS = (  # Okabe-Ito, then the accent: told apart by colour-blind eyes, on a light and on a dark page
    "rgb(0, 114, 178)",
    "rgb(230, 159, 0)",
    "rgb(0, 158, 115)",
    "rgb(204, 121, 167)",
    "rgb(86, 180, 233)",
    "rgb(213, 94, 0)",
    ACCENT,
)
INK = "rgb(128, 128, 140)"  # readable on a light and on a dark page
Row = Mapping[str, Any]

SHARES = {"range": [-0.05, 1.05]}  # of an axis


@dataclass(frozen=True)
class Curve:
    """One line with its band, over the stops of one knob."""

    name: str  # empty: a single line that needs none
    x: Sequence[Any]
    mean: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def response(
    curves: Sequence[Curve], x: str, measure: str, mark: Any = None, *, share: bool = False, height: int = 420
) -> go.Figure:
    """Mean over the stops of knob `x`, with the band from the lower to the upper quartile; `mark` is a dotted line. The
    axis of a `share` goes from 0 to 1.
    """
    traces = []
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        if len(curve.low):
            traces.append(_band(curve, colour))
        traces.append(
            go.Scatter(
                x=[*curve.x],
                y=[*curve.mean],
                name=words(curve.name),
                showlegend=bool(curve.name),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                connectgaps=False,
                hovertemplate=f"{x} %{{x}}: %{{y:.4g}}<extra>{words(curve.name)}</extra>",
            )
        )
    xs = [stop for curve in curves for stop in curve.x]
    ys = [value for curve in curves for value in (*curve.mean, *curve.low) if not math.isnan(value)]
    figure = go.Figure(
        traces,
        layout(
            height,
            xaxis=axis(x, **_scale(xs)),
            yaxis=axis(measure, **(SHARES if share or set(ys) <= {0.0, 1.0} else _scale(ys))),
        ),
    )
    if isinstance(mark, int | float) and _type(xs) != "category" and min(xs) <= mark <= max(xs):
        line = {"color": ACCENT, "dash": "dot"}
        figure.add_shape(type="line", x0=mark, x1=mark, y0=0, y1=1, yref="paper", line=line)
        at = math.log10(mark) if _type(xs) == "log" else mark  # annotations, unlike shapes, want the logarithm
        figure.add_annotation(text="current", x=at, y=1, yref="paper", yanchor="bottom", showarrow=False)
    return figure


def constant(curves: Sequence[Curve]) -> float | None:
    """The one value that all curves have everywhere; None where they tell more than a sentence could."""
    known = {value for curve in curves for value in curve.mean if not math.isnan(value)}
    return known.pop() if len(known) == 1 else None


def pareto(settings: Sequence[Row], measure: str, title: str) -> go.Figure:
    """Every setting by its pixels and by one measure, called `title`; the front as a line.

    A setting has `pixels`, the measure, `text`, `index` and whether it is on the front: `front_MEASURE`.
    """
    known = [row for row in settings if not math.isnan(row["pixels"]) and not math.isnan(row[measure])]
    front = sorted((row for row in known if row[f"front_{measure}"]), key=lambda row: row["pixels"])
    line = _points(front, "pixels", measure, ACCENT, 10, clickable=True)
    line.update(mode="lines+markers", line={"color": ACCENT, "width": 2, "shape": "hv"}, name="Pareto front")
    figure = go.Figure([_points(known, "pixels", measure, GREY, 8, clickable=True), line])
    figure.update_layout(
        layout(
            400,
            showlegend=False,
            clickmode="event+select",
            xaxis=axis("changed pixels, mean", **_scale([row["pixels"] for row in known])),
            yaxis=axis(title, **SHARES if measure == "success" else {}),
        )
    )
    return figure


def parallel(settings: Sequence[Row], titles: Mapping[str, str], colour: str = "pixels") -> go.Figure:
    """One line per setting across its knobs and measures (`titles` by key). Dragging along an axis brushes."""
    known = [row for row in settings if not math.isnan(row[colour])]
    shades = [row[colour] for row in known]
    logarithmic = spans_decades(shades)
    figure = go.Figure(
        go.Parcoords(
            dimensions=[
                _dimension([row[key] for row in known], title) | ({"range": [0, 1]} if key == "success" else {})
                for key, title in titles.items()
            ],
            line={
                "color": [math.log10(shade) for shade in shades] if logarithmic else shades,
                "colorscale": "Viridis",
                "reversescale": True,
            },
            labelfont={"size": 14, "color": INK},
            labelangle=-25,  # so that they stand beside one another on a telephone as well
            tickfont={"size": 14, "color": INK},
            rangefont={"size": 1, "color": "rgba(0, 0, 0, 0)"},
        )
    )
    figure.update_layout(layout(440, margin={"l": 40, "r": 40, "t": 80, "b": 30}))
    return figure


def _points(rows: Sequence[Row], x: str, y: str, colour: str, size: int, *, clickable: bool) -> go.Scatter:
    return go.Scatter(
        x=[row[x] for row in rows],
        y=[row[y] for row in rows],
        mode="markers",
        marker={"color": colour, "size": size},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[[row["index"]] for row in rows] if clickable else None,
        text=[words(row["text"]) for row in rows],
        hovertemplate="%{text}<br>%{x:.4g} pixels, %{y:.3g}<extra></extra>",
    )


def _band(curve: Curve, colour: str) -> go.Scatter:
    inside = [i for i, value in enumerate(curve.mean) if not math.isnan(value)]
    xs = [curve.x[i] for i in inside]
    return go.Scatter(
        x=[*xs, *reversed(xs)],
        y=[*(curve.high[i] for i in inside), *reversed([curve.low[i] for i in inside])],
        mode="lines",
        fill="toself",
        fillcolor=colour.replace("rgb", "rgba").replace(")", ", 0.15)"),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _type(xs: Sequence[Any]) -> str:
    if any(not isinstance(x, int | float) for x in xs):
        return "category"
    return "log" if spans_decades(xs) else "linear"


def _scale(values: Sequence[Any]) -> dict[str, Any]:
    """The axis that suits these values; a logarithmic one has its ticks at round numbers."""
    if (kind := _type(values)) != "log":
        return {"type": kind}
    ticks = log_ticks(values)
    return {"type": kind, "tickvals": ticks, "ticktext": [short(tick) for tick in ticks]}


def _dimension(values: list[Any], title: str) -> dict[str, Any]:
    if any(not isinstance(value, int | float) for value in values):
        stops = list(dict.fromkeys(values))
        return {
            "label": title,
            "values": [stops.index(value) for value in values],
            "tickvals": list(range(len(stops))),
            "ticktext": [short(stop) for stop in stops],
        }
    if spans_decades(values):
        stops = sorted(set(values))
        shown = stops if len(stops) <= 12 else [stops[0], stops[len(stops) // 2], stops[-1]]
        return {
            "label": title,
            "values": [math.log10(value) for value in values],
            "tickvals": [math.log10(stop) for stop in shown],
            "ticktext": [short(stop) for stop in shown],
        }
    return {"label": title, "values": values}
