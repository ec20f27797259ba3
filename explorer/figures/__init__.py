"""Values -> Plotly figures. Neutral colours are half transparent, so that they suit a light and a dark page."""

from explorer.figures.answers import answer
from explorer.figures.bars import top_classes
from explorer.figures.comparison import fooled_curves, share_intervals, share_matrix, told
from explorer.figures.curves import Curve, constant, parallel, pareto, response
from explorer.figures.dataset import class_flow, class_shares, marked, pixel_histogram, place_map
from explorer.figures.heat import Cell, heat_map
from explorer.figures.lesson import answer_bars, class_bars, count_bars
from explorer.figures.maps import signed_map
from explorer.figures.mechanics import room_of, smoothed_step, threshold_of
from explorer.figures.offline import embedded, library
from explorer.figures.orders import order_curve, pixel_lives
from explorer.figures.scatter import pixel_scatter
from explorer.figures.study import front, history, importance
from explorer.figures.trace import attack_trace
from explorer.figures.truth import truth_rates, truth_reach

__all__ = [
    "Cell",
    "Curve",
    "answer",
    "answer_bars",
    "attack_trace",
    "class_bars",
    "class_flow",
    "class_shares",
    "constant",
    "count_bars",
    "embedded",
    "fooled_curves",
    "front",
    "heat_map",
    "history",
    "importance",
    "library",
    "marked",
    "order_curve",
    "parallel",
    "pareto",
    "pixel_histogram",
    "pixel_lives",
    "pixel_scatter",
    "place_map",
    "response",
    "room_of",
    "share_intervals",
    "share_matrix",
    "signed_map",
    "smoothed_step",
    "threshold_of",
    "told",
    "top_classes",
    "truth_rates",
    "truth_reach",
]
