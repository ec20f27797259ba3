"""Values -> Plotly figures. Neutral colours are half transparent, so that they suit a light and a dark page."""

from explorer.figures.bars import top_classes
from explorer.figures.curves import order_curve, pixel_lives
from explorer.figures.maps import signed_map
from explorer.figures.scatter import pixel_scatter
from explorer.figures.trace import attack_trace
from explorer.figures.truth import truth_rates

__all__ = [
    "attack_trace",
    "order_curve",
    "pixel_lives",
    "pixel_scatter",
    "signed_map",
    "top_classes",
    "truth_rates",
]
