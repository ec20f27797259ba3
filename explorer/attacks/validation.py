"""What every attack checks at its edge: one sentence per mistake, what was expected and what came."""

import torch

from explorer.grid import to_grid
from explorer.types import Images, Labels, Network


def validated(
    network: Network, images: Images, labels: Labels, targets: Labels | None
) -> tuple[Images, Labels, Labels | None]:
    """Detached images on the 8-bit grid, labels and targets on the images' device. Raises ValueError on bad input."""
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
    images = to_grid(images.detach().contiguous())
    with torch.no_grad():
        logits = network(torch.cat([images[:1], 1 - images[:1]]))  # two, so that no logits sum to 1 by chance
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"the network must return logits of shape (b, k) with k >= 2; got {tuple(logits.shape)}.")
    if not torch.isfinite(logits).all():
        raise ValueError("the network must return finite logits; got NaN or infinity.")
    if (logits >= 0).all() and torch.allclose(logits.sum(1), torch.ones_like(logits[:, 0]), atol=1e-4):
        raise ValueError("the network must return logits; got probabilities (they sum to 1): leave the softmax out.")
    labels = _classes("labels", labels, images, logits.shape[1])
    if targets is not None:
        targets = _classes("targets", targets, images, logits.shape[1])
        if (targets == labels).any():
            raise ValueError("targets must differ from labels; got an image whose target is its own label.")
    return images, labels, targets


def _classes(name: str, values: Labels, images: Images, n_classes: int) -> Labels:
    if not torch.is_tensor(values) or values.shape != images.shape[:1] or values.is_floating_point():
        got = f"{values.dtype} {tuple(values.shape)}" if torch.is_tensor(values) else type(values).__name__
        raise ValueError(f"{name} must be an integer tensor of shape ({len(images)},); got {got}.")
    if values.min() < 0 or values.max() >= n_classes:
        raise ValueError(f"{name} must lie in 0..{n_classes - 1}; got {values.min().item()}..{values.max().item()}.")
    return values.to(images.device, torch.int64)


def per_image(name: str, value: float | torch.Tensor, images: Images) -> torch.Tensor:
    """A knob that may differ per image, as a tensor (b,) of the images' dtype. Raises ValueError on another shape."""
    tensor = torch.as_tensor(value, dtype=images.dtype, device=images.device)
    if tensor.ndim and tensor.shape != images.shape[:1]:
        raise ValueError(f"{name} must be a number or a tensor of shape ({len(images)},); got {tuple(tensor.shape)}.")
    return tensor.expand(len(images))
