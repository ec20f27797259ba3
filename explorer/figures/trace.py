"""How the optimised stage went, step by step."""

import plotly.graph_objects as go

from explorer.figures.style import GREY, axis, layout
from explorer.palette import ACCENT
from explorer.types import Trace


def attack_trace(trace: Trace, image: int = 0) -> go.Figure:
    """Margin (below zero the network is fooled) and changed pixels of one image over the steps."""
    margin, n_pixels = trace.margin[:, image].tolist(), trace.n_pixels[:, image].tolist()
    line = {
        "type": "scatter",
        "x": list(range(1, len(margin) + 1)),
        "line": {"color": ACCENT, "width": 2},
        "showlegend": False,
    }
    fooled = {"text": "fooled below", "x": 1, "xref": "paper", "xanchor": "right", "y": 0, "yanchor": "top"}
    return go.Figure(
        [
            {**line, "y": margin, "hovertemplate": "step %{x}: margin %{y:.2f} logits<extra></extra>"},
            {**line, "y": n_pixels, "yaxis": "y2", "hovertemplate": "step %{x}: %{y:,} pixels<extra></extra>"},
        ],
        layout(
            360,
            xaxis=axis("step", anchor="y2"),
            yaxis=axis("margin, logits", domain=[0.55, 1]),
            yaxis2=axis("changed pixels", domain=[0, 0.45], type="log"),
            shapes=[
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": 0,
                    "y1": 0,
                    "line": {"color": GREY, "dash": "dot"},
                }
            ],
            annotations=[{**fooled, "showarrow": False, "font": {"size": 14}}],
        ),
    )
