"""The 8-bit grid: what a saved picture can hold, and what two pictures are compared on.

Two devices may compute the same value with other last bits, and even a division by 255 is such a value on a GPU. So the
256 values are those of one table, and pictures are compared by the integers that they stand for, never as floats.
"""

from functools import cache

import torch
from torch import Tensor

STRIP = 2**22  # values that are looked up at once: of a large picture, the indices would take as much as the values


def check_values(name: str, images: Tensor) -> None:
    """Raises ValueError with one sentence unless all of them are floating-point numbers in [0, 1]."""
    if not images.is_floating_point():
        raise ValueError(f"{name} must be floating point in [0, 1]; got {images.dtype}.")
    if not (torch.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"{name} must lie in [0, 1]; got values from {images.min():.3g} to {images.max():.3g}.")


def levels(images: Tensor) -> Tensor:
    """The nearest of 0..255 for values in [0, 1], as uint8; values outside count as the nearer end."""
    return images.detach().mul(255).round_().clamp_(0, 255).to(torch.uint8)


def from_levels(levels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Integers 0..255, of any shape and dtype, as values in [0, 1]: k / 255, taken from the table."""
    table, flat = _table(levels.device, dtype), levels.reshape(-1)
    values = table.new_empty(flat.shape)
    for some, out in zip(flat.split(STRIP), values.split(STRIP), strict=True):
        torch.index_select(table, 0, some.int(), out=out)
    return values.view(levels.shape)


def to_grid(images: Tensor) -> Tensor:
    """Values in [0, 1] rounded to the 8-bit grid, so that saving as PNG loses nothing; without gradient."""
    nearest = images.detach().contiguous().mul(255).round_().clamp_(0, 255)
    divisor = _divisor(images.device, images.dtype)
    if divisor is not None:
        return nearest.div_(divisor)
    table = _table(images.device, images.dtype)
    return table.index_select(0, nearest.int().reshape(-1)).view(images.shape)


def changed_values(images: Tensor, adversarial: Tensor) -> Tensor:
    """Which values of two batches (or pictures) of one shape differ on the grid: bool, on the images' device."""
    return levels(images) != levels(adversarial.to(images.device))


def changed_pixels(images: Tensor, adversarial: Tensor) -> Tensor:
    """Which pixels differ in any channel: (..., 3, h, w) twice to (..., h, w)."""
    return changed_values(images, adversarial).any(dim=-3)


def same_picture(one: Tensor, other: Tensor) -> bool:
    """Whether two pictures or batches have one shape and one value everywhere on the grid."""
    return one.shape == other.shape and not bool(changed_values(one, other).any())


@cache
def _table(device: torch.device, dtype: torch.dtype) -> Tensor:
    """K / 255 for k = 0..255, computed on the host."""
    with torch.inference_mode(False):
        return torch.tensor([k / 255 for k in range(256)], dtype=dtype).to(device)


@cache
def _divisor(device: torch.device, dtype: torch.dtype) -> Tensor | None:
    """255, by which this device divides 0..255 into the very values of the table; None, if it does not. As a tensor: by
    a number, a GPU multiplies with its reciprocal.
    """
    with torch.inference_mode(False):
        divisor, table = torch.tensor(255, dtype=dtype, device=device), _table(device, dtype)
        return divisor if torch.equal(torch.arange(256, dtype=dtype, device=device) / divisor, table) else None
