"""What a network computes with, found by watching it look at one picture: it decides which methods are valid."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.evidence.attributions.attended import ATTENTION, NoTransformerError, attend
from explorer.memory import is_shortage
from explorer.types import Image, Network

_LINEAR = {  # functions of one activation without a bend in them, and what only reads or arranges
    *("__get__", "__getitem__", "_set_grad_enabled", "dim", "size", "to"),
    *("adaptive_avg_pool2d", "avg_pool2d", "batch_norm", "conv2d", "dropout", "linear", "matmul", "mean", "pad", "sum"),
    *("add", "cat", "div", "sub", "truediv"),
    *("contiguous", "expand", "flatten", "permute", "reshape", "squeeze", "transpose", "unsqueeze", "view"),
}
NO_GRADIENTS = "it needs gradients, which this network does not let through"
_ONE_BY_ONE = "it must see both pictures in one pass, and this network takes one at a time"
_SEALED = "it must look inside, and this network, traced, scripted or exported, only shows its logits"
_TOKENS = {"softmax", "layer_norm", "scaled_dot_product_attention"}  # of networks that are no feature maps to the end


@dataclass(frozen=True)
class Capabilities:
    """Counts of one forward pass."""

    functions: Counter[str]  # torch functions by name
    modules: Counter[nn.Module]  # calls of every module
    last_map: nn.Module | None  # the last module whose output is (b, c, h, w) with more than one place
    sealed: bool = False  # some of it was computed by no torch function, so it cannot be looked into
    no_transformer: str | None = "it needs a transformer"  # why attention leads from no patch to the logits, or None
    gradients: bool = True  # of the logits by the picture
    one_by_one: bool = False  # a pass is of one picture

    def guided_problem(self) -> str | None:
        """Why guided backpropagation is not valid, or None: every ReLU must be a module that can be hooked."""
        relus = self._calls(nn.ReLU)
        if not relus:
            return "it needs networks with nn.ReLU"
        if relus != self._functions("relu"):
            return "some of the network's ReLUs are no modules"
        return None

    def rescale_problem(self) -> str | None:
        """Why DeepLIFT's rescale rule is not valid, or None: it must know every non-linearity, each used once.

        Captum's rule for max pooling is left out: where few inputs change it loses most of the shares (92 % were seen).
        """
        if self.sealed:
            return _SEALED
        strange = {*self.functions} - _LINEAR - {"relu", "relu_"}
        if strange:
            return f"it has no sound rule for {', '.join(sorted(strange))}"
        if self._calls(nn.ReLU) != self._functions("relu"):
            return "the network calls relu outside a module"
        if any(isinstance(module, nn.ReLU) and count > 1 for module, count in self.modules.items()):
            return "the network uses one ReLU several times"
        return None

    def cam_problem(self) -> str | None:
        """Why Grad-CAM is not valid, or None: the class must be read off feature maps."""
        if self.one_by_one:
            return _ONE_BY_ONE
        if self.sealed:
            return _SEALED
        if self.functions["flip"]:
            return "it needs a network that does not turn the picture"
        if self.last_map is None or _TOKENS & {*self.functions}:
            return "it needs a convolutional network that reads the class off its last feature maps"
        return None

    def attention_problem(self) -> str | None:
        """Why attention cannot be followed, or None: patches must attend to each other, in every layer each to all."""
        if self.sealed:
            return _SEALED
        if self.functions["flip"]:
            return "it needs a network that does not turn the picture"
        return self.no_transformer

    def _calls(self, kind: type) -> int:
        return sum(count for module, count in self.modules.items() if isinstance(module, kind))

    def _functions(self, name: str) -> int:
        return self.functions[name] + self.functions[name + "_"]


def find_capabilities(network: Network, image: Image) -> Capabilities:
    """Watch the network look at `image` (3, h, w)."""
    watcher, calls, maps = _Watcher(), Counter(), []
    images = image[None].clone()  # a network may write into what it is given

    def note(module: nn.Module, _: Any, output: Any) -> None:
        calls[module] += 1
        if torch.is_tensor(output) and output.ndim == 4 and output.shape[2:].numel() > 1 and module is not network:
            maps.append(module)

    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    handles = [module.register_forward_hook(note) for module in modules]
    try:
        # a detour loads torch's compiler, 150 MB, and bundled networks hide nothing
        with torch.no_grad(), watcher, nullcontext() if getattr(network, "recordable", False) is True else _Detour():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    found = Capabilities(
        watcher.names,
        calls,
        maps[-1] if maps else None,
        watcher.sealed,
        gradients=gradient_at(network, image) is not None,
        one_by_one=any(getattr(module, "one_by_one", False) for module in modules),
    )
    return replace(found, no_transformer=_no_transformer(network, image)) if ATTENTION & {*watcher.names} else found


def gradient_at(network: Network, image: Image) -> Tensor | None:
    """That of the sum of all logits by `image` (3, h, w): (1, 3, h, w); None where the network lets none through."""
    images = image[None].clone().requires_grad_()
    try:
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(network(images).sum(), images)
    except (RuntimeError, ValueError) as error:  # a person's network says it as the latter
        if is_shortage(error):
            raise
        return None
    return gradient


def _no_transformer(network: Network, image: Image) -> str | None:
    try:
        attend(network, image)
    except NoTransformerError as error:
        return str(error)
    except RuntimeError as error:  # as from a network that leaves torch on its way
        if is_shortage(error):
            raise
        return NO_GRADIENTS
    return None


class _Watcher(TorchFunctionMode):
    """Counts the torch functions that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()
        self.sealed = False

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Tensor:
        self.sealed |= isinstance(function, OpOverload)
        name = getattr(function, "__name__", str(function))
        if name in ("mul", "__mul__") and any(isinstance(arg, nn.Parameter) for arg in args):
            name = "linear"  # a product with a weight, not of two activations
        self.names[name] += 1
        return function(*args, **(kwargs or {}))


class _Detour(TorchDispatchMode):
    """Calls every operation again, by its name. Within a torch function the watcher is off; an operation that no torch
    function has called, as in TorchScript, comes before it this way.
    """

    def __torch_dispatch__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return function(*args, **(kwargs or {}))
