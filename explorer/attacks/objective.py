"""What an attack wants, and the network as it sees it: margins in chunks that fit the memory, gradients of images only.

Attacks address an image by *units*, the things that are counted: a tensor (b, c, n) of n units with c values each;
c = 3, n = h * w when pixels count, c = 1, n = 3 * h * w when entries count.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.memory import shrinking
from explorer.numerics import margins
from explorer.types import Images, Labels, Logits, Network, PerImage

CHUNK_VALUES = 2**21  # floats of input in one forward pass of candidates: 170 images of 64 x 64, 13 of 224 x 224


@dataclass(frozen=True)
class Objective:
    """Fool `network` on a batch: away from `labels`, or towards `targets` where they are given."""

    network: Network
    labels: Labels
    targets: Labels | None = None

    def of(self, index: Tensor) -> "Objective":
        """The same for some of the images (indices may repeat)."""
        return Objective(self.network, self.labels[index], None if self.targets is None else self.targets[index])

    def logits(self, images: Images) -> Logits:
        """Logits (b, k), without gradients and in chunks."""
        with torch.no_grad():
            return shrinking(
                lambda size: torch.cat([self.network(chunk) for chunk in images.split(size)]),
                max(1, CHUNK_VALUES // images[0].numel()),
            )

    def margin(self, images: Images) -> PerImage:
        """Margins (b,), negative where fooled, without gradients and in chunks."""
        if len(images) == 0:
            return images.new_zeros(0)
        return margins(self.logits(images), self.labels, self.targets)

    def margin_and_gradient(self, images: Images) -> tuple[PerImage, Images]:
        """Margins (b,) and their gradients (b, 3, h, w)."""
        images = images.detach().requires_grad_(True)
        with torch.enable_grad():
            margin = margins(self.network(images), self.labels, self.targets)
        (gradient,) = torch.autograd.grad(margin.sum(), images)
        return margin.detach(), gradient


def as_units(images: Images, unit: str) -> Tensor:
    """A view of contiguous images (b, 3, h, w) as (b, c, n)."""
    return images.flatten(2) if unit == "pixel" else images.flatten(1)[:, None]


def count_units(images: Images, adversarial: Images, unit: str) -> Tensor:
    """Changed units per image (b,)."""
    return as_units(images != adversarial, unit).any(1).sum(1)


def changed_units(images: Images, adversarial: Images, unit: str) -> tuple[Tensor, Tensor]:
    """The owner (m,) and the place (m,) of every changed unit."""
    return as_units(images != adversarial, unit).any(1).nonzero(as_tuple=True)


def reverted(images: Images, adversarial: Images, owner: Tensor, where: Tensor, unit: str) -> Images:
    """The adversarial image of each owner (m,) with its unit `where` (m,) put back: (m, 3, h, w)."""
    candidates = adversarial[owner]
    rows = torch.arange(len(owner), device=owner.device)
    as_units(candidates, unit)[rows, :, where] = as_units(images, unit)[owner, :, where]
    return candidates
