"""What all figures have in common: quiet axes, a legend on top, no surprises under the mouse."""

import html
from typing import Any

SIZE = 14  # CSS pixels of all text: to be read from the last row
GREY = "rgba(128, 128, 140, 0.55)"
FAINT = "rgba(128, 128, 140, 0.22)"
LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1.02,
    "yanchor": "bottom",
    "itemclick": False,
    "itemdoubleclick": False,
    "font": {"size": SIZE},
}


def words(text: str) -> str:
    """Text from outside, such as the name of a class or a network, in a label, a legend or a hover text: Plotly takes
    <b> there for bold and <a href> for a link.
    """
    return html.escape(text, quote=False)


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis that names its unit in `title`; without one it has no empty one, which Plotly would keep room for."""
    return {
        **({"title": {"text": title, "font": {"size": SIZE}}} if title else {}),
        "tickfont": {"size": SIZE},
        "gridcolor": FAINT,
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
        **more,
    }


def layout(height: int, **more: Any) -> dict[str, Any]:
    """The layout of a figure of so many CSS pixels, with its axes in `more`."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "legend": LEGEND,
        "font": {"size": SIZE},
        "hoverlabel": {"align": "left", "font": {"size": SIZE}},
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "dragmode": False,
        **more,
    }
