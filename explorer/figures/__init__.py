"""Values -> Plotly figures. Neutral colours are half transparent, so that they suit a light and a dark page."""

from explorer.figures.bars import top_classes
from explorer.figures.curves import Curve, parallel, pareto, response
from explorer.figures.heat import Cell, heat_map
from explorer.figures.mechanics import mechanics
from explorer.figures.scatter import pixel_scatter
from explorer.figures.study import front, history, importance
from explorer.figures.trace import attack_trace

__all__ = [
    "Cell",
    "Curve",
    "attack_trace",
    "front",
    "heat_map",
    "history",
    "importance",
    "mechanics",
    "parallel",
    "pareto",
    "pixel_scatter",
    "response",
    "top_classes",
]
