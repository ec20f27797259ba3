"""Figures in a document that opens without a network: the library once, then each figure."""

from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs


def library() -> str:
    """Plotly itself, to stand in one <script> before the figures."""
    return get_plotlyjs()


def embedded(figure: Figure, name: str) -> str:
    """The figure as HTML; `name` is its id in the document. Text in it cannot end its script."""
    config = {"displayModeBar": False, "responsive": True, "plotlyServerURL": ""}
    return figure.to_html(config=config, include_plotlyjs=False, full_html=False, div_id=name)
