"""What all defences have in common: settings, what is asked of a filter, and what is refused."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from explorer.grid import check_values, from_levels, levels, to_grid
from explorer.knobs import check
from explorer.types import Images


@dataclass(frozen=True, kw_only=True)
class Defence:
    """A frozen dataclass of knobs, called with images (b, 3, h, w) in [0, 1]: the same pictures, filtered, of the same
    shape and on the 8-bit grid. The same pictures are always filtered alike. An entry of DEFENCES adds its knobs and
    `filtered`.
    """

    title: ClassVar[str]  # what it is called on the page
    summary: ClassVar[str]  # one sentence
    source: ClassVar[str]  # who has proposed it as a defence
    differentiable: ClassVar[bool] = False  # `filtered` is computed in torch and has a gradient worth following

    def __post_init__(self) -> None:
        check(self)

    def filtered(self, images: Images) -> Images:
        """The images, filtered; not yet rounded."""
        raise NotImplementedError

    def __call__(self, images: Images) -> Images:
        """Raises ValueError with one sentence on images that are none, and if the filter returns something else."""
        if not torch.is_tensor(images) or images.ndim != 4 or images.shape[1] != 3 or not images.numel():
            got = tuple(images.shape) if torch.is_tensor(images) else type(images).__name__
            raise ValueError(f"images must be a tensor of shape (b, 3, h, w); got {got}.")
        check_values("images", images)
        with torch.no_grad():
            found = self.filtered(images)
        if not torch.is_tensor(found) or found.shape != images.shape:
            got = tuple(found.shape) if torch.is_tensor(found) else type(found).__name__
            raise ValueError(f"{self.title} must return pictures of shape {tuple(images.shape)}; got {got}.")
        if not torch.isfinite(found).all():
            raise ValueError(f"{self.title} must return finite numbers; got NaN or infinity.")
        return to_grid(found.to(images))


class PixelDefence(Defence):
    """A defence whose filter works on one 8-bit picture after the other, as OpenCV's do, on the CPU."""

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """A picture (h, w, 3) uint8, filtered."""
        raise NotImplementedError

    def filtered(self, images: Images) -> Images:
        """See Defence."""
        pictures = levels(images).permute(0, 2, 3, 1).cpu().numpy()
        found = np.stack([self.pixels(np.ascontiguousarray(picture)) for picture in pictures])
        return from_levels(torch.from_numpy(found).permute(0, 3, 1, 2).to(images.device), images.dtype)
