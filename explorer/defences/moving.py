"""The picture moved or resampled: what depends on exact places is disturbed."""

from dataclasses import dataclass

import torch.nn.functional as F

from explorer.defences.defence import Defence
from explorer.knobs import knob
from explorer.types import Images


@dataclass(frozen=True, kw_only=True)
class Shift(Defence):
    """The picture moves down and to the right by whole pixels; its border is repeated."""

    title = "Small shift"
    summary = "The picture moves by a pixel or two, and its border is repeated: changes land elsewhere."
    source = "ours; translations fool networks too, arXiv 1712.02779"
    differentiable = True

    rows: int = knob(1, "Pixels down; less than 0: up.", low=-32, high=32, slider=(-4, 4))
    columns: int = knob(1, "Pixels to the right; less than 0: to the left.", low=-32, high=32, slider=(-4, 4))

    def filtered(self, images: Images) -> Images:
        """See Defence."""
        (down, up), (right, left) = ((max(by, 0), max(-by, 0)) for by in (self.rows, self.columns))
        height, width = images.shape[2:]
        padded = F.pad(images, (right, left, down, up), mode="replicate")
        return padded[:, :, up : up + height, left : left + width]


@dataclass(frozen=True, kw_only=True)
class Resize(Defence):
    """The picture is made smaller, and as large as before again."""

    title = "Resize down and up"
    summary = "The picture is made smaller and as large as before again: single pixels melt into their neighbours."
    source = "resizing as in arXiv 1711.01991, without its chance"
    differentiable = True

    scale: float = knob(0.5, "Size of the smaller picture, next to the picture's own.", low=0, open_low=True, high=1,
                        slider=(0.2, 1.0))  # fmt: skip

    def filtered(self, images: Images) -> Images:
        """See Defence."""
        size = images.shape[2:]
        small = [max(1, round(self.scale * side)) for side in size]
        smaller = F.interpolate(images, small, mode="bilinear", antialias=True, align_corners=False)
        return F.interpolate(smaller, size, mode="bilinear", align_corners=False)
