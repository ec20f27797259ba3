"""Stand-ins for devices that are not at hand: what would fail there fails here."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def moved(picture: torch.Tensor, seed: int) -> torch.Tensor:
    """Every value one step of floating point up or down, at random: what another device may make of it."""
    up = torch.rand(picture.shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    return picture.nextafter(torch.where(up, 2.0, -1.0)).clamp(0, 1)


class NoDoublePrecision(TorchDispatchMode):
    """As on a device without it: no tensor of float64 may come about; scalars stay on the host."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        returned = function(*args, **(kwargs or {}))
        for each in tree_leaves(returned):
            if torch.is_tensor(each) and each.dtype == torch.float64 and each.ndim:
                raise TypeError(f"{function} returned float64 {tuple(each.shape)}")
        return returned
