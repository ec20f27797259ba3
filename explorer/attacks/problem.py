"""What is asked of an attack: a network to fool, pictures, what of them may change; and how margins are found.

Attacks address a picture by *units*, the things that are counted: a tensor (b, c, n) of n units with c values each;
c = 3, n = h * w when pixels count, c = 1, n = 3 * h * w when entries count.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from explorer.kernels import seen_by
from explorer.memory import shrinking
from explorer.numerics import finite, margins
from explorer.types import Images, Labels, Logits, Network, PerImage


@dataclass(frozen=True, eq=False)
class Problem:
    """Fool `network` on a batch: away from `labels`, or towards `targets`, with every value within a box."""

    network: Network
    images: Images  # clean, on the 8-bit grid
    labels: Labels
    targets: Labels | None
    low: Images  # the least that each value may become, on the grid; equal to the clean value outside the region
    high: Images  # the largest
    unit: str = "pixel"
    max_units: int | None = None  # pictures with more changed units do not count
    forward_size: int = 64  # pictures in one forward pass without gradients
    gradients: bool = True  # False: the network is a black box
    peeks: bool = True  # the host may look at values, and leave out what is finished; False while steps are captured
    width: int = 0  # while steps are captured: of tables of changed units, as many as any image has
    kappa: float = 0.0  # logits by which the wrong class must lead

    def of(self, index: Tensor) -> "Problem":
        """The same for some of the images."""
        return replace(self, **{name: tensor[index] for name, tensor in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """All that differs from image to image."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if torch.is_tensor(value)}

    @property
    def clean(self) -> Tensor:
        """The clean images as units (b, c, n)."""
        return as_units(self.images, self.unit)

    @property
    def free(self) -> Tensor:
        """Which units may change at all, (b, n)."""
        return as_units(self.low < self.high, self.unit).any(1)

    def changed(self, images: Images) -> Tensor:
        """Which units differ from the clean ones, (b, n). Exact: all values come from one table."""
        return as_units(images != self.images, self.unit).any(1)

    def values_of(self, units: Tensor) -> Tensor:
        """A mask of units (b, n) as one of values (b, 3, h, w)."""
        c = self.images[0].numel() // units.shape[1]
        return as_images(units[:, None].expand(-1, c, -1), self.images)

    def logits(self, images: Images) -> Logits:
        """Logits (m, k) of any number of images, without gradients and in chunks."""
        with torch.no_grad():
            return shrinking(
                lambda size: torch.cat([seen_by(self.network, chunk) for chunk in images.split(size)]),
                self.forward_size,
            )

    def margin(self, images: Images, owner: Tensor | None = None) -> PerImage:
        """Margins (m,), see margins_of; NaN counts as infinite. `owner` (m,): whose labels count, by default
        each image's own.
        """
        if not len(images):
            return images.new_zeros(0)
        return self._finite_margins(self.logits(images), owner)

    def margin_and_gradient(self, images: Images) -> tuple[PerImage, Images]:
        """Margins (b,) and their gradients (b, 3, h, w), 0 where they are not finite."""
        if not len(images):
            return images.new_zeros(0), images
        parts = torch.arange(len(images), device=images.device).split(self.forward_size)
        margins, gradients = zip(*(self._with_gradient(images[part], part) for part in parts), strict=True)
        return torch.cat(margins), torch.cat(gradients)

    def _with_gradient(self, images: Images, owner: Tensor) -> tuple[PerImage, Images]:
        images = images.detach().requires_grad_(True)
        with torch.enable_grad():
            margin = self._finite_margins(seen_by(self.network, images), owner)
            (gradient,) = torch.autograd.grad(margin.sum(), images)
        return margin.detach(), finite(gradient)

    def differentiable(self, images: Images) -> Logits:
        """Logits (b, k) with their graph, for losses of an attack's own."""
        return seen_by(self.network, images)

    def margins_of(self, logits: Logits, owner: Tensor | None = None) -> PerImage:
        """Margins (m,), negative where fooled by the lead that is asked for."""
        labels, targets = self.labels, self.targets
        if owner is not None:
            labels, targets = labels[owner], None if targets is None else targets[owner]
        return margins(logits, labels, targets) + self.kappa

    def _finite_margins(self, logits: Logits, owner: Tensor | None = None) -> PerImage:
        return self.margins_of(logits, owner).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)


def as_units(images: Images, unit: str) -> Tensor:
    """Contiguous images (b, 3, h, w), or others of their shape, as a view (b, c, n)."""
    return images.flatten(2) if unit == "pixel" else images.flatten(1)[:, None]


def as_images(units: Tensor, like: Images) -> Images:
    """Units (b, c, n) as images again."""
    return units.reshape(len(units), *like.shape[1:])
