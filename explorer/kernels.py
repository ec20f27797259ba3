"""Which kernels torch convolves with on a CPU.

By the sizes of picture and batch, torch takes oneDNN's or its own. Their results differ in the seventh digit, which the
signs of the dense start and the threshold turn into other pixels. oneDNN's are the same for a picture alone and in any
batch, to the last bit, and in a batch they take half the time. Of few pictures most of the time goes into putting the
weights in order, which is done once here.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.grad import conv2d_input
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from explorer.types import Images, Logits, Network

KEPT = 2**18  # floats of a weight: a larger one is put in order every time

_onednn = torch.ops.mkldnn


def seen_by(network: Network, images: Images) -> Logits:
    """Logits (b, k) of images (b, 3, h, w); on a CPU by oneDNN, but what a traced or scripted network convolves.

    Pictures come plane by plane, which is quicker to normalise; from the first convolution on, channels come last,
    unless the network has asked for `planes`.
    """
    if images.device.type != "cpu":
        return network(images)
    with OneDNN():
        return network(images.contiguous())


_here = threading.local()


@contextmanager
def planes() -> Iterator[None]:
    """Inside, what this thread convolves comes plane by plane, as some networks need it, for a `.view` say."""
    before, _here.planes = getattr(_here, "planes", False), True
    try:
        yield
    finally:
        _here.planes = before


_CONVOLUTIONS = {torch.conv2d, torch.ops.aten.conv2d.default}  # the latter in an exported program


class OneDNN(TorchFunctionMode):
    """Inside, this thread convolves pictures on a CPU by oneDNN, where torch has it."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if function in _CONVOLUTIONS:
            return _convolved(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _convolved(input: Tensor, weight: Tensor, bias: Any = None, stride=1, padding=0, dilation=1, groups=1) -> Tensor:
    """As torch.conv2d."""
    if torch.jit.is_tracing():  # of a batch, which torch convolves by oneDNN of its own accord
        input = input.contiguous(memory_format=torch.channels_last)
        return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
    inside = torch._C._functorch.is_functorch_wrapped_tensor(input)  # of a torch.func.vmap, say
    pictures = input.ndim == 4 and input.device.type == "cpu" and not inside
    if pictures and not input.is_contiguous(memory_format=torch.channels_last):
        input = _ChannelsLast.apply(input)
    usual = input.dtype == weight.dtype == torch.float32 and groups == 1 and not isinstance(padding, str)
    learning = weight.requires_grad or (bias is not None and bias.requires_grad)
    if pictures and usual and not learning and not weight.is_inference() and _able():
        use = _use(weight, input.shape, _pair(stride), _pair(padding), _pair(dilation))
        output = _Convolution.apply(input, weight, bias, use)
    else:
        output = torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
    return output.contiguous() if getattr(_here, "planes", False) else output


def _able() -> bool:
    return torch.backends.mkldnn.enabled and torch.backends.mkldnn.is_available()


Pair = tuple[int, int]


@dataclass(frozen=True)
class _Use:
    """What a convolution does, forth and back, its weight in the orders that oneDNN likes for that."""

    version: tuple[int, int]  # of the weight, and where it lies
    forth: Tensor
    back: Tensor
    how: tuple[Pair, Pair, Pair]  # padding, stride, dilation
    how_back: tuple[Pair, Pair, Pair, Pair]  # the same, and what of the input no output comes from


_uses = WeakTensorKeyDictionary()  # by weights, then by sizes


def _use(weight: Tensor, size: torch.Size, stride: Pair, padding: Pair, dilation: Pair) -> _Use:
    known, key = _uses.setdefault(weight, {}), (size[1:], stride, padding, dilation)
    use, version = known.get(key), (weight._version, weight.data_ptr())
    if use is None or use.version != version:
        ends = zip(size[2:], weight.shape[2:], stride, padding, dilation, strict=True)
        out, rest = zip(*(divmod(n + 2 * pad - gap * (k - 1) - 1, step) for n, k, step, pad, gap in ends), strict=True)
        use = _Use(version, weight, weight, (padding, stride, dilation), (padding, rest, stride, dilation))
        if weight.numel() > KEPT:
            return use
        one, back = [1, *size[1:]], [1, len(weight), *(n + 1 for n in out)]
        known[key] = use = replace(
            use,
            forth=_onednn._reorder_convolution_weight(weight, *use.how, 1, one),
            back=_onednn._reorder_convolution_transpose_weight(weight, *use.how_back, 1, back),
        )
    return use


@contextmanager
def kept_in_order(network: Network) -> Iterator[None]:
    """Around all that is computed at a stretch. Afterwards the orders of the network's weights are forgotten: they take
    as much memory twice, and weights may change unseen, as by `.data`.
    """
    try:
        yield
    finally:
        if isinstance(network, nn.Module):
            for weight in chain(network.parameters(), network.buffers()):
                _uses.pop(weight, None)
        else:  # nobody knows which weights a function has
            _uses.clear()


class _ChannelsLast(torch.autograd.Function):
    """The same numbers, in the order that oneDNN likes; gradients in the order that the numbers had."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        ctx.planes = input.is_contiguous()
        return input.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return slope.contiguous() if ctx.planes else slope


class _Convolution(torch.autograd.Function):
    """By a weight that does not learn."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, use: _Use) -> Tensor:
        ctx.use, ctx.weight, ctx.size = use, weight, input.shape
        return _onednn._convolution_pointwise(input, use.forth, bias, *use.how, 1, "none", [], "")

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        use = ctx.use
        if torch.is_grad_enabled():  # this gradient's own gradient is asked for, which oneDNN's has not
            padding, stride, dilation = use.how
            return conv2d_input(ctx.size, ctx.weight, slope, stride, padding, dilation), None, None, None
        back = _onednn._convolution_transpose_pointwise(slope, use.back, None, *use.how_back, 1, "none", [], "")
        return back, None, None, None
