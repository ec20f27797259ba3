"""How the optimised stage went, step by step."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.style import GREY, frame
from explorer.palette import ACCENT
from explorer.types import Trace


def attack_trace(trace: Trace, image: int = 0) -> go.Figure:
    """Margin (below zero the network is fooled) and changed pixels of one image over the steps."""
    margin, n_pixels = trace.margin[:, image].tolist(), trace.n_pixels[:, image].tolist()
    steps = list(range(1, len(margin) + 1))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09)
    line = {"color": ACCENT, "width": 2}
    figure.add_scatter(x=steps, y=margin, line=line, hovertemplate="step %{x}: margin %{y:.2f} logits<extra></extra>")
    figure.add_scatter(
        x=steps, y=n_pixels, line=line, hovertemplate="step %{x}: %{y:,} pixels<extra></extra>", row=2, col=1
    )
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot"}, annotation_text="fooled below", row=1, col=1)
    frame(figure, height=360)
    figure.update_layout(showlegend=False, margin_t=12)
    figure.update_yaxes(title="margin, logits", row=1, col=1)
    figure.update_yaxes(title="changed pixels", type="log", row=2, col=1)
    figure.update_xaxes(title="step", row=2, col=1)
    return figure
