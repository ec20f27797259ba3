"""How one picture answers to one knob: pixels and confidence over its values, and where one is."""

import math
from collections.abc import Sequence
from typing import Protocol

import plotly.graph_objects as go

from explorer.figures.scales import log_ticks, short
from explorer.figures.style import GREY, SIZE, axis, layout
from explorer.palette import ACCENT

SURE = "rgb(0, 158, 115)"  # of the confidence


class Point(Protocol):
    """One value of the knob and what it does."""

    value: float
    n_pixels: int
    fooled: bool
    confidence: float


def answer(points: Sequence[Point], here: Point, name: str) -> go.Figure:
    """Changed pixels above, confidence below, over the values of the knob `name`; both axes of the pixels are
    logarithmic. Hollow marks do not fool. Each mark's customdata is [its place among `points`]; `here` is the current
    setting.
    """
    xs = [point.value for point in points]
    marks = ["circle" if point.fooled else "circle-open" for point in points]
    told = ["" if point.fooled else ", not fooled" for point in points]
    places = [[place] for place in range(len(points))]
    known = {"type": "scatter", "x": xs, "mode": "lines+markers", "customdata": places, "text": told}
    unselected = {"marker": {"opacity": 1}}
    pixels = {
        **known,
        "y": [max(point.n_pixels, 1) for point in points],
        "line": {"color": ACCENT, "width": 2},
        "marker": {"symbol": marks, "size": 9, "color": ACCENT, "line": {"width": 2, "color": ACCENT}},
        "unselected": unselected,
        "hovertemplate": f"{name} %{{x}}: %{{y:,}} pixels%{{text}}<extra></extra>",
    }
    sure = {
        **known,
        "y": [100 * point.confidence for point in points],
        "yaxis": "y2",
        "line": {"color": SURE, "width": 2},
        "marker": {"symbol": marks, "size": 7, "color": SURE, "line": {"width": 2, "color": SURE}},
        "unselected": unselected,
        "hovertemplate": f"{name} %{{x}}: %{{y:.0f}} % sure%{{text}}<extra></extra>",
    }
    at = {
        "type": "scatter",
        "x": [here.value],
        "y": [max(here.n_pixels, 1)],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 20, "color": ACCENT, "line": {"width": 3}},
        "unselected": unselected,
        "hovertemplate": f"you are here<br>{name} %{{x}}: %{{y:,}} pixels<extra></extra>",
    }
    ys = [max(point.n_pixels, 1) for point in (*points, here)]
    left = sum(here.value > x for x in xs) > len(xs) / 2  # the words do not leave the panel
    words = {
        "text": f"you are here: {here.n_pixels:,}", "xref": "x", "yref": "paper", "y": 1.0, "yanchor": "bottom",
        "xanchor": "right" if left else "left", "showarrow": False, "font": {"size": SIZE, "color": ACCENT},
    }  # fmt: skip
    line = {"type": "line", "x0": here.value, "x1": here.value, "yref": "paper", "y0": 0, "y1": 1}
    return go.Figure(
        [pixels, sure, at],
        layout(
            330,
            showlegend=False,
            clickmode="event+select",
            margin={"l": 8, "r": 8, "t": 26, "b": 8},
            xaxis=_log(f"{name}", xs, anchor="y2"),
            yaxis=_log("pixels", ys, domain=[0.42, 1]),
            yaxis2=axis("% sure", domain=[0, 0.3], range=[0, 105], tickvals=[0, 50, 100]),
            shapes=[{**line, "line": {"color": GREY, "dash": "dot"}}],
            annotations=[{**words, "x": math.log10(here.value)}],  # unlike shapes they want the logarithm
        ),
    )


def _log(title: str, values: Sequence[float], **more: object) -> dict:
    ticks = log_ticks(values)
    return axis(title, type="log", tickvals=ticks, ticktext=[short(tick) for tick in ticks], **more)
