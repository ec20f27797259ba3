"""Defences: filters in front of a classifier. Each is a frozen dataclass of knobs that is called with images."""

from explorer.defences.coding import JPEG, BitDepth
from explorer.defences.defence import Defence
from explorer.defences.defended import Defended, Look, look
from explorer.defences.moving import Resize, Shift
from explorer.defences.smoothing import Bilateral, Gaussian, Median, TotalVariation

__all__ = ["DEFENCES", "Defence", "Defended", "Look", "look"]

DEFENCES: dict[str, type[Defence]] = {
    "median": Median,
    "jpeg": JPEG,
    "bit-depth": BitDepth,
    "gaussian": Gaussian,
    "bilateral": Bilateral,
    "total-variation": TotalVariation,
    "shift": Shift,
    "resize": Resize,
}
