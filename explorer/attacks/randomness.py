"""Random numbers as a pure function: the same for an image on every device, in every batch and however it is split.

A hash of (the image's key, the step, the place) stands for the next number of a generator, so nothing has to be kept
from step to step. The mixing is splitmix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number
generators, 2014).
"""

import torch
from torch import Tensor

from explorer.grid import levels
from explorer.types import Images

_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
STREAMS = 64  # at most, of one picture and step
_BITS = 24  # of a number: as many as float32 holds exactly


def keys_of(images: Images, seed: int = 0) -> Tensor:
    """A key (b,) int64 for each image, by its content and `seed`."""
    values = levels(images).flatten(1).long()
    places = torch.arange(values.shape[1], device=images.device)
    return _mixed((values * _mixed(places)).sum(1) + seed)


def uniform(keys: Tensor, step: Tensor | int, n: int, stream: int = 0) -> Tensor:
    """Numbers (b, n) in [0, 1), float32, for each key (b,); another `step` () or `stream` gives others."""
    places, step = torch.arange(n, device=keys.device), torch.as_tensor(step, device=keys.device)
    start = _mixed(keys + (step + 1) * _signed(_GOLDEN))
    drawn = _mixed(start[:, None] + places * STREAMS + stream)
    return (drawn & (2**_BITS - 1)).float() / 2**_BITS


def _mixed(x: Tensor) -> Tensor:
    x = (x ^ _shifted(x, 30)) * _signed(_FIRST)
    x = (x ^ _shifted(x, 27)) * _signed(_SECOND)
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, by: int) -> Tensor:
    """A logical shift to the right: torch's own keeps the sign."""
    return (x >> by) & (2 ** (64 - by) - 1)


def _signed(x: int) -> int:
    """The int64 with the same bits."""
    return x - 2**64 if x >= 2**63 else x
