"""Networks without numbers: their weights are read from a file, so none are drawn, and no memory is taken twice."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_MADE = (torch.empty, torch.full, torch.ones, torch.randn, torch.zeros)
_DRAWN = (Tensor.normal_, nn.init.normal_)  # for these, on the meta device, torch would load its compiler


class WithoutNumbers(TorchFunctionMode):
    """Inside, weights are made on the meta device; tensors that a network computes its sizes with (RegNet does) are
    not. The caller's random numbers do not advance.
    """

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if function in _DRAWN:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        if function in _MADE and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        return function(*args, **kwargs)
