"""Coarser codes for the same picture: what a few pixels say is lost in rounding."""

from dataclasses import dataclass

import cv2
import numpy as np

from explorer.defences.defence import Defence, PixelDefence
from explorer.knobs import knob
from explorer.types import Images


@dataclass(frozen=True, kw_only=True)
class JPEG(PixelDefence):
    """The picture is saved as JPEG and read back."""

    title = "JPEG"
    summary = "The picture is saved as JPEG and read back: fine detail is rounded, in blocks of 8 × 8 pixels."
    source = "arXiv 1608.00853"

    quality: int = knob(75, "JPEG's quality: less rounds more.", low=1, high=100, slider=(10, 95))

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """See PixelDefence."""
        _, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]


@dataclass(frozen=True, kw_only=True)
class BitDepth(Defence):
    """Each value is rounded to one of a few."""

    title = "Bit depth"
    summary = "Each value is rounded to one of a few: faint changes vanish, strong ones stay."
    source = "feature squeezing, arXiv 1704.01155"

    bits: int = knob(3, "Bits of each value: n bits are 2ⁿ values from 0 to 1.", low=1, high=8, slider=(1, 8))

    def filtered(self, images: Images) -> Images:
        """See Defence."""
        steps = 2**self.bits - 1
        return (images * steps).round() / steps
