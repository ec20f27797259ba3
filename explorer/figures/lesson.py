"""Figures for a projector: few bars, large letters, which the page's style gives the colour of its own."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.figures.bars import BEFORE, NOW
from explorer.figures.style import axis, layout, words
from explorer.palette import ACCENT

SIZE = 16  # CSS pixels of all letters
ROW = 46  # CSS pixels of a bar with what is around it


def answer_bars(names: Sequence[str], now: Sequence[float], before: Sequence[float] | None) -> go.Figure:
    """What the network sees: a bar per class, in per cent; with `before` two, for the clean picture and for now."""
    series = [("now", now, NOW)] if before is None else [("clean picture", before, BEFORE), ("now", now, NOW)]
    bars = [
        _bars(names, [100 * share for share in shares], when, colour, [_percent(share) for share in shares])
        for when, shares, colour in series
    ]
    return _figure(bars, 150, legend=before is not None)


def count_bars(names: Sequence[str], counts: Sequence[int], unit: str) -> go.Figure:
    """A bar per name with its whole number of `unit`, which may be ""."""
    text = [f"{count:,} {unit}".strip() for count in counts]
    return _figure([_bars(names, counts, unit, ACCENT, text)], 1.5 * max([*counts, 1]), legend=False)


def class_bars(names: Sequence[str], here: Sequence[int], solved: Sequence[int]) -> go.Figure:
    """Where a class stands: for each step who is there now and who has solved it."""
    bars = [
        _bars(names, here, "here now", ACCENT, [str(count) for count in here]),
        _bars(names, solved, "solved", NOW, [str(count) for count in solved]),
    ]
    return _figure(bars, 1.15 * max([*here, *solved, 4]), legend=True)


def _percent(share: float) -> str:
    """In whole per cent, that neither claim certainty nor nothing."""
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _bars(names: Sequence[str], values: Sequence[float], when: str, colour: str, text: Sequence[str]) -> dict:
    return {
        "type": "bar",
        "name": when,
        "orientation": "h",
        "y": [*map(words, names)],
        "x": list(values),
        "text": list(text),
        "textposition": "outside",
        "constraintext": "none",
        "cliponaxis": False,
        "marker": {"color": colour, "cornerradius": 3},
        "hovertemplate": "%{y}, " + when + ": %{x:.3g}<extra></extra>",
    }


def _figure(bars: list[dict], end: float, legend: bool) -> go.Figure:
    rows = len(bars[0]["y"]) if bars else 0
    height = 24 + (40 if legend else 0) + ROW * rows * (1.3 if len(bars) > 1 else 1)
    letters = {"size": SIZE}
    for bar in bars:
        bar["textfont"] = letters
    own = layout(
        int(height),
        barmode="group",
        bargap=0.3,
        font=letters,
        xaxis=axis(range=[0, end], showgrid=False, showticklabels=False),
        yaxis=axis(autorange="reversed", showgrid=False, tickfont=letters),
        showlegend=legend,
    )
    own["margin"] = {"l": 8, "r": 8, "t": 40 if legend else 8, "b": 8}
    own["legend"] = {**own["legend"], "font": letters}
    return go.Figure(bars, own)
