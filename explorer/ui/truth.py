"""The ground truth of a rendered sign as a picture."""

import numpy as np

from explorer.palette import LOOKS
from explorer.signs import GroundTruth


def painted(truth: GroundTruth) -> np.ndarray:
    """The masks as a pale picture, (h, w, 3) uint8."""
    picture = np.full((*truth.signs.shape, 3), 250, np.uint8)
    picture[truth.signs] = 222
    picture[truth.both] = 190
    for mask, look in zip((truth.only_true, truth.only_wrong), LOOKS.values(), strict=True):
        picture[mask] = (0.45 * np.array(look.rgb) + 0.55 * 255).astype(np.uint8)
    return picture
