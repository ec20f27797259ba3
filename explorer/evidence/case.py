"""What is to be explained: a network, a picture before and after, and the two classes that it is about."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from explorer.adapter import adapted, as_it_takes
from explorer.exact import exact_arithmetic
from explorer.grid import changed_pixels, check_values, to_grid
from explorer.kernels import seen_by
from explorer.memory import shrinking
from explorer.types import Image, Images, Logits, Network

CHUNK_VALUES = 2**20  # floats of input per forward pass without gradients


def centred(logits: Logits) -> Logits:
    """Z_k = z_k - mean_j z_j: what a softmax sees of the logits."""
    return logits - logits.mean(1, keepdim=True)


def at_once(image: Image) -> int:
    """How many pictures of this size are made and looked at together."""
    return max(1, CHUNK_VALUES // image.numel())


def centred_logits(network: Network, images: Images) -> Tensor:
    """Z (b, k) of images (b, 3, h, w), without gradients and in chunks that fit the memory.

    The network gets copies, as it may write into what it is given.
    """

    def logits(size: int) -> Tensor:
        return torch.cat([centred(seen_by(network, chunk.clone())) for chunk in images.split(size)])

    with torch.no_grad():
        return shrinking(logits, at_once(images[0]))


@dataclass(frozen=True, eq=False)
class Case:
    """One adversarial picture. `label` is the class y that was attacked, `wrong` the class t that is seen instead.

    Both pictures are copies on the 8-bit grid, so off the changed pixels their difference is exactly zero.
    """

    network: Network
    image: Image
    adversarial: Image
    label: int
    wrong: int
    clean_logits: Tensor  # Z (k,) of `image`
    logits: Tensor  # Z (k,) of `adversarial`

    @classmethod
    def of(cls, network: Network, image: Image, adversarial: Image, label: int) -> "Case":
        """Check what was given; t is the strongest class but y. Raises ValueError with one sentence."""
        for name, picture in (("image", image), ("adversarial", adversarial)):
            if not torch.is_tensor(picture) or picture.ndim != 3 or picture.shape != image.shape or len(picture) != 3:
                got = tuple(picture.shape) if torch.is_tensor(picture) else type(picture).__name__
                raise ValueError(f"image and adversarial must be tensors of one shape (3, h, w); got {name} {got}.")
            check_values(name, picture)
        label = int(label)
        with exact_arithmetic(image.device), torch.inference_mode(False):
            image, adversarial = (to_grid(as_it_takes(network, each)) for each in (image, adversarial))
            network, _ = adapted(network, image[None])
            clean, after = centred_logits(network, torch.stack([image, adversarial]))
            if not 0 <= label < len(after):
                raise ValueError(f"label must lie in 0..{len(after) - 1}; got {label}.")
            others = after.index_fill(0, torch.tensor(label, device=after.device), -math.inf)
        return cls(network, image, adversarial, label, int(others.argmax()), clean, after)

    @cached_property
    def places(self) -> tuple[Tensor, Tensor]:
        """Rows and columns (n,) of the changed pixels."""
        return changed_pixels(self.image, self.adversarial).nonzero(as_tuple=True)

    @property
    def n_pixels(self) -> int:
        return len(self.places[0])

    @property
    def classes(self) -> Tensor:
        """[y, t]."""
        return torch.tensor([self.label, self.wrong], device=self.image.device)

    @property
    def lost(self) -> Tensor:
        """How much of Z_y the change has taken."""
        return (self.clean_logits - self.logits)[self.label]

    @property
    def gained(self) -> Tensor:
        """How much of Z_t it has given."""
        return (self.logits - self.clean_logits)[self.wrong]

    def at_pixels(self, values: Tensor) -> Tensor:
        """Values (..., h, w) at the changed pixels: (..., n)."""
        rows, cols = self.places
        return values[..., rows, cols]
