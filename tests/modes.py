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


class Blindfold(TorchDispatchMode):
    """Refuses everything by which the host would wait for a device and look at its values."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        looks = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.unique")
        assert not str(function).startswith(looks), f"{function} looks at values"
        if str(function) in ("aten.index.Tensor", "aten.index_put.default", "aten.index_put_.default"):
            masks = [index for index in args[1] if index is not None and index.dtype == torch.bool]
            assert not masks, "a mask as index looks at values"
        return function(*args, **(kwargs or {}))
