"""What every attack checks at its edge: one sentence per mistake, what was expected and what came."""

import torch
from torch import Tensor

from explorer.grid import from_levels, levels, to_grid
from explorer.types import Images, Labels


def validated_images(images: Images) -> Images:
    """Detached images on the 8-bit grid, as ordinary tensors. Raises ValueError on bad input."""
    if not torch.is_tensor(images) or images.ndim != 4 or images.shape[1] != 3 or not len(images):
        got = tuple(images.shape) if torch.is_tensor(images) else type(images).__name__
        raise ValueError(f"images must be a tensor of shape (b, 3, h, w) with b >= 1; got {got}.")
    if not images.is_floating_point():
        raise ValueError(f"images must be floating point in [0, 1]; got {images.dtype}.")
    if not torch.isfinite(images).all():
        raise ValueError("images must be finite numbers in [0, 1]; got NaN or infinity.")
    low, high = images.min().item(), images.max().item()
    if low < 0 or high > 1:
        raise ValueError(f"images must lie in [0, 1]; got values from {low:.3g} to {high:.3g}.")
    return to_grid(images.detach().contiguous())


def validated_classes(
    labels: Labels, targets: Labels | None, images: Images, n_classes: int
) -> tuple[Labels, Labels | None]:
    """Labels and targets on the images' device. Raises ValueError on bad input."""
    labels = _classes("labels", labels, images, n_classes)
    if targets is not None:
        targets = _classes("targets", targets, images, n_classes)
        if (targets == labels).any():
            raise ValueError("targets must differ from labels; got an image whose target is its own label.")
    return labels, targets


def _classes(name: str, values: Labels, images: Images, n_classes: int) -> Labels:
    if not torch.is_tensor(values) or values.shape != images.shape[:1] or values.is_floating_point():
        got = f"{values.dtype} {tuple(values.shape)}" if torch.is_tensor(values) else type(values).__name__
        raise ValueError(f"{name} must be an integer tensor of shape ({len(images)},); got {got}.")
    if values.min() < 0 or values.max() >= n_classes:
        raise ValueError(f"{name} must lie in 0..{n_classes - 1}; got {values.min().item()}..{values.max().item()}.")
    return values.to(images.device, torch.int64, copy=True)  # a copy made in inference mode is an ordinary tensor


def box(images: Images, region: Tensor | None, max_change: float) -> tuple[Images, Images]:
    """The least and the largest value (b, 3, h, w) that each value may become, on the grid.

    `region` (h, w) or (b, h, w): True where pixels may change; None: everywhere. `max_change` in (0, 1]: the largest
    step of any value, rounded down to the grid. Raises ValueError on a region that does not fit.
    """
    now = levels(images).int()
    step = int(max_change * 255 + 1e-6)
    if step < 1:
        raise ValueError(f"max_change must be at least 1/255, the smallest step of a picture; got {max_change:.3g}.")
    reach = torch.full_like(now, step)
    if region is not None:
        reach = reach * _region(region, images)[:, None]
    ends = ((now - reach).clamp_min(0), (now + reach).clamp_max(255))
    return tuple(from_levels(end, images.dtype) for end in ends)


def _region(region: Tensor, images: Images) -> Tensor:
    b, _, height, width = images.shape
    shapes = (height, width), (b, height, width)
    if not torch.is_tensor(region) or tuple(region.shape) not in shapes or region.dtype != torch.bool:
        got = f"{region.dtype} {tuple(region.shape)}" if torch.is_tensor(region) else type(region).__name__
        raise ValueError(f"region must be a bool tensor of shape {shapes[0]} or {shapes[1]}; got {got}.")
    region = region.to(images.device, copy=True).expand(b, height, width)
    if not region.flatten(1).any(1).all():
        raise ValueError("region must hold at least one pixel where changes are allowed; got an empty one.")
    return region


def per_image(name: str, value: float | Tensor, images: Images) -> Tensor:
    """A knob that may differ per image, as a tensor (b,) of the images' dtype. Raises ValueError on another shape."""
    tensor = torch.as_tensor(value, dtype=images.dtype, device=images.device)
    if tensor.ndim and tensor.shape != images.shape[:1]:
        raise ValueError(f"{name} must be a number or a tensor of shape ({len(images)},); got {tuple(tensor.shape)}.")
    return tensor.expand(len(images))
