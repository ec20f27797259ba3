"""What all figures have in common."""

import plotly.graph_objects as go

GREY = "rgba(128, 128, 140, 0.55)"
FAINT = "rgba(128, 128, 140, 0.22)"


def frame(figure: go.Figure, *, height: int) -> go.Figure:
    """Quiet axes, a legend on top, no toolbar tricks: the same frame for every figure."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        hoverlabel={"align": "left"},
        plot_bgcolor="rgba(0, 0, 0, 0)",
        paper_bgcolor="rgba(0, 0, 0, 0)",
        dragmode=False,
    )
    figure.update_xaxes(gridcolor=FAINT, zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(gridcolor=FAINT, zeroline=False, automargin=True, fixedrange=True)
    return figure
