"""A stand-in for a GPU on a machine without one: "meta", a device whose tensors have values after all.

As on a GPU, they come about there by `.to`, or by a function that is given the device; a function that is given tensors
of both devices fails, unless it copies, or indexes by the CPU's; and what NumPy is to see must be brought back.
`pytest --other-device` runs the tests on it: what forgets where a picture lies fails.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from explorer import classifiers
from explorer.ui import devices

NAME = "meta"
CROSSING = ("aten._to_copy", "aten.copy_", "aten.index.Tensor", "aten.index_put")  # these take tensors of both


class There(Tensor):
    """A tensor of the other device."""

    @staticmethod
    def __new__(cls, values: Tensor) -> "There":
        layout = {"strides": values.stride(), "storage_offset": values.storage_offset(), "dtype": values.dtype}
        return Tensor._make_wrapper_subclass(cls, values.shape, device=torch.device(NAME), **layout)

    def __init__(self, values: Tensor) -> None:
        self.values_here = values

    def __repr__(self) -> str:
        return f"There({self.values_here})"

    def tolist(self) -> Any:
        return self.values_here.tolist()

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.values_here.untyped_storage()

    def data_ptr(self) -> int:
        return self.values_here.data_ptr()

    @classmethod
    def __torch_dispatch__(cls, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _computed(function, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _computed(function, args, kwargs or {})


class _Made(TorchFunctionMode):
    """What is made of numbers is made on the CPU, and carried over."""

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and _is_there(kwargs.get("device")):
            return function(*args, **kwargs | {"device": "cpu"}).to(NAME)
        return function(*args, **kwargs)


def _computed(function: Callable, args: tuple, kwargs: dict) -> Any:
    """What the function returns, computed on the CPU."""
    name = str(function)
    tensors = [each for each in tree_leaves((args, kwargs)) if torch.is_tensor(each)]
    there = any(isinstance(each, There) for each in tensors)
    if there and any(not isinstance(each, There) and each.ndim for each in tensors) and not name.startswith(CROSSING):
        raise RuntimeError(f"all tensors must be on the same device; {function} found {NAME} and cpu.")
    known: dict[int, There] = {}

    def here(value: Any) -> Any:
        if isinstance(value, There):
            known[id(value.values_here)] = value
            return value.values_here
        return value

    device = kwargs.get("device")
    given = kwargs | ({"device": torch.device("cpu")} if _is_there(device) else {})
    result = function(*tree_map(here, args), **tree_map(here, given))
    if name.startswith("aten.copy_"):
        there = isinstance(args[0], There)
    elif device is not None:
        there = _is_there(device)

    def back(value: Any) -> Any:
        if not torch.is_tensor(value) or isinstance(value, There):
            return value
        if id(value) in known:
            return known[id(value)]
        return There(value) if there else value

    return tree_map(back, result)


def _is_there(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


@contextmanager
def other_device() -> Iterator[None]:
    """Inside, also in threads that are begun there, the other device is there, and the fastest."""
    run = threading.Thread.run

    def run_there(thread: threading.Thread) -> None:
        with _Dispatch(), _Made():
            run(thread)

    best, both = classifiers.best_device, (devices.Device(NAME, "Stand-in", 0), devices.Device("cpu", "CPU", 0))
    with ExitStack() as stack:
        for module in [*sys.modules.values()]:
            if getattr(module, "best_device", None) is best:
                stack.enter_context(patch.object(module, "best_device", lambda: NAME))
        stack.enter_context(patch.object(devices, "devices", lambda: both))
        stack.enter_context(patch.object(torch, NAME, SimpleNamespace(synchronize=lambda: None), create=True))
        stack.enter_context(patch("explorer.exact.torch.autocast", lambda *_, **__: nullcontext()))
        stack.enter_context(patch.object(threading.Thread, "run", run_there))
        stack.enter_context(_Dispatch())
        stack.enter_context(_Made())
        yield
