"""Values -> Plotly figures. Neutral colours are half transparent, so that they suit a light and a dark page."""

from explorer.figures.bars import top_classes
from explorer.figures.scatter import pixel_scatter
from explorer.figures.trace import attack_trace

__all__ = ["attack_trace", "pixel_scatter", "top_classes"]
