"""Filters that smooth: what a few pixels stand out by is averaged or voted away."""

from dataclasses import dataclass

import cv2
import numpy as np
from torchvision.transforms.functional import gaussian_blur

from explorer.defences.defence import Defence, PixelDefence
from explorer.knobs import knob
from explorer.types import Images

SQUEEZING = "feature squeezing, arXiv 1704.01155"


@dataclass(frozen=True, kw_only=True)
class Median(PixelDefence):
    """Each value becomes the median of its neighbourhood."""

    title = "Median filter"
    summary = "Each value becomes the middle one of its neighbourhood: single odd pixels vanish, edges stay."
    source = SQUEEZING

    radius: int = knob(1, "Pixels to each side that are looked at.", low=1, high=20, slider=(1, 5))

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """See PixelDefence."""
        return cv2.medianBlur(picture, 2 * self.radius + 1)


@dataclass(frozen=True, kw_only=True)
class Gaussian(Defence):
    """Each value becomes a weighted mean of its neighbourhood."""

    title = "Gaussian blur"
    summary = "Each value becomes a mean of its neighbourhood, near ones counting most: odd pixels fade, edges blur."
    source = SQUEEZING
    differentiable = True

    sigma: float = knob(1.0, "Width of the normal, in pixels.", label="σ · width", low=0, open_low=True, high=20,
                        slider=(0.3, 3.0))  # fmt: skip

    def filtered(self, images: Images) -> Images:
        """See Defence."""
        radius = min(max(1, round(3 * self.sigma)), min(images.shape[2:]) - 1)  # reflection goes no further
        return gaussian_blur(images, 2 * radius + 1, self.sigma) if radius else images


@dataclass(frozen=True, kw_only=True)
class Bilateral(PixelDefence):
    """Each value becomes a mean of those near it that have a similar colour."""

    title = "Bilateral filter"
    summary = "Each value becomes a mean of near ones of a similar colour: edges stay, and so do very odd pixels."
    source = "a smoothing filter, as in arXiv 1704.01155"

    radius: int = knob(2, "Pixels to each side that are looked at.", low=1, high=10, slider=(1, 5))
    colour: float = knob(
        0.3, "Difference of colour up to which neighbours count, in [0, 1] units.", label="σ · colour", low=0,
        open_low=True, high=10, slider=(0.05, 1.0),
    )  # fmt: skip

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """See PixelDefence."""
        return cv2.bilateralFilter(picture, 2 * self.radius + 1, 255 * self.colour, float(self.radius))


@dataclass(frozen=True, kw_only=True)
class TotalVariation(PixelDefence):
    """The picture with less variation that is nearest, counting absolute differences (TV-L1), channel by channel."""

    title = "Total variation"
    summary = "The nearest picture with less up and down between neighbours: small spots go, large areas stay."
    source = "arXiv 1711.00117"

    fidelity: float = knob(
        1.0, "How near the picture stays: less removes larger spots.", label="λ · fidelity", low=0, open_low=True,
        high=10, slider=(0.2, 2.0),
    )  # fmt: skip
    steps: int = knob(15, "Steps of the primal-dual solver.", low=1, high=1000, slider=(5, 100))

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """See PixelDefence."""
        channels = []
        for channel in cv2.split(picture):
            found = np.empty_like(channel)
            cv2.denoise_TVL1([channel], found, self.fidelity, self.steps)
            channels.append(found)
        return cv2.merge(channels)
