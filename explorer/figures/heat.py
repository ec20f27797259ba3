"""What a grid of settings did, as a map: one cell per setting, one small map per value of a third knob."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.scales import log_ticks, place, short, spans_decades
from explorer.figures.style import SIZE, axis, layout, words
from explorer.palette import ACCENT

COLUMNS = 4  # small multiples in a row
WRITTEN = 160  # cells in all, up to which the numbers are written into them
SCALE = "Viridis"


@dataclass(frozen=True)
class Cell:
    """One setting of the grid."""

    x: Any
    y: Any
    facet: Any
    value: float  # NaN where there is none
    index: int  # of the setting: a click reports it
    picture: str = ""  # data URL of the result, if it is shown


def heat_map(
    cells: Sequence[Cell],
    names: tuple[str, str, str],
    measure: str,
    mark: Mapping[str, Any],
    *,
    best_is_low: bool,
) -> go.Figure:
    """`names` are those of x, y and the third knob (empty: none); `measure` names the value with its unit.

    `mark` is a setting by the names of its knobs: it wears a cross. Where a cell has a picture, that is shown instead
    of its colour. Each cell's customdata is [index].
    """
    xs, ys, facets = (_stops(getattr(cell, part) for cell in cells) for part in ("x", "y", "facet"))
    n_columns = min(len(facets), COLUMNS)
    n_rows = math.ceil(len(facets) / n_columns)
    titles = [f"{words(names[2])} = {words(short(facet))}" if names[2] else "" for facet in facets]
    figure = make_subplots(
        n_rows, n_columns, subplot_titles=titles, horizontal_spacing=0.05, vertical_spacing=0.14 / n_rows
    )
    values = [cell.value for cell in cells if not math.isnan(cell.value)]
    logarithmic = spans_decades(values)
    pictures = any(cell.picture for cell in cells)
    small = len(cells) > WRITTEN or len(xs) * n_columns > 24
    for number, facet in enumerate(facets):
        where = {"row": number // n_columns + 1, "col": number % n_columns + 1}
        some = {(cell.x, cell.y): cell for cell in cells if cell.facet == facet}
        if pictures:
            for image in _images(some, xs, ys):
                figure.add_layout_image(image, **where)
        else:
            figure.add_trace(_map(some, xs, ys, logarithmic, written=not small), **where)
        figure.add_trace(_targets(some, xs, ys, names, measure), **where)
        at = place(mark.get(names[0]), xs), place(mark.get(names[1]), ys)
        if None not in at and (not names[2] or mark.get(names[2]) == facet):
            figure.add_trace(_cross(at), **where)
        bottom = number + n_columns >= len(facets)
        figure.update_xaxes(_axis(names[0] if bottom else "", xs), **where)
        first = number % n_columns == 0
        figure.update_yaxes(_axis(names[1] if first else "", ys) | {"showticklabels": first}, **where)
    side = min(180, 1050 // (n_columns * max(1, len(xs))))  # of a picture, on a wide screen
    height = 110 + n_rows * (max(160, side * len(ys)) if pictures else 110 + 34 * len(ys))
    figure.update_layout(
        layout(
            height,
            title={"text": "" if pictures else measure, "x": 0.5, "y": 1, "yanchor": "top", "pad": {"t": 4}},
            title_font={"size": SIZE},
            margin={"l": 8, "r": 8, "t": 40 if pictures else 100, "b": 8},
            clickmode="event+select",
            showlegend=False,
            coloraxis=_colours(values, logarithmic, 1 - 24 / height, best_is_low),
        )
    )
    figure.update_annotations(font={"size": SIZE})
    return figure


def _stops(values: Any) -> list[Any]:
    distinct = list(dict.fromkeys(values))
    return sorted(distinct) if all(isinstance(value, int | float) for value in distinct) else distinct


def _map(some: Mapping, xs: list, ys: list, logarithmic: bool, *, written: bool) -> go.Heatmap:
    rows = [[some[x, y].value if (x, y) in some else math.nan for x in xs] for y in ys]
    scale = math.log10 if logarithmic else float
    return go.Heatmap(
        z=[[None if math.isnan(value) else scale(value) for value in row] for row in rows],
        text=[[short(value) for value in row] for row in rows],
        texttemplate="%{text}" if written else None,
        coloraxis="coloraxis",
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )


def _targets(some: Mapping, xs: list, ys: list, names: tuple[str, str, str], measure: str) -> go.Scatter:
    """Invisible squares that can be pointed at and clicked; a heat map itself reports no click."""
    cells = list(some.values())
    return go.Scatter(
        x=[xs.index(cell.x) for cell in cells],
        y=[ys.index(cell.y) for cell in cells],
        mode="markers",
        marker={"symbol": "square", "size": 26, "color": "rgba(0, 0, 0, 0)"},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[[cell.index] for cell in cells],
        text=[
            f"{names[0]} {short(cell.x)}, {names[1]} {short(cell.y)}<br>{measure}: {short(cell.value)}"
            for cell in cells
        ],
        hovertemplate="%{text}<br>click: open in Explore<extra></extra>",
    )


def _cross(at: tuple[float, float]) -> go.Scatter:
    return go.Scatter(
        x=[at[0]],
        y=[at[1]],
        mode="markers",
        marker={"symbol": "circle-open", "size": 30, "color": ACCENT, "line": {"width": 3, "color": ACCENT}},
        hoverinfo="skip",
    )


def _images(some: Mapping, xs: list, ys: list) -> list[dict[str, Any]]:
    return [
        {
            "source": cell.picture,
            "x": xs.index(cell.x),
            "y": ys.index(cell.y),
            "sizex": 0.94,
            "sizey": 0.94,
            "xanchor": "center",
            "yanchor": "middle",
            "layer": "below",
        }
        for cell in some.values()
        if cell.picture
    ]


def _axis(name: str, stops: list) -> dict[str, Any]:
    return axis(
        name,
        tickvals=list(range(len(stops))),
        ticktext=[short(stop) for stop in stops],
        range=[-0.5, len(stops) - 0.5],
        showgrid=False,
    )


def _colours(values: list[float], logarithmic: bool, y: float, best_is_low: bool) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "orientation": "h",
        "yref": "container",
        "y": y,
        "yanchor": "top",
        "tickangle": 0,
        "thickness": 10,
        "outlinewidth": 0,
        "tickfont": {"size": SIZE},
    }
    if logarithmic:
        ticks = [tick for tick in log_ticks(values) if min(values) <= tick <= max(values)]
        decades = [tick for tick in ticks if math.log10(tick).is_integer()]
        ticks = decades if len(decades) > 1 else ticks  # that stand apart on a phone as well
        bar |= {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [short(tick) for tick in ticks]}
    return {"colorscale": SCALE, "reversescale": best_is_low, "colorbar": bar}
