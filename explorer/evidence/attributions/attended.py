"""What the tokens of a vision transformer attend to, seen in one forward pass. Ours.

A torch function mode sees what this thread calls while the pass runs: softmax, scaled_dot_product_attention and
nn.MultiheadAttention. Where a function keeps its weights to itself, the same product is made again with them in sight.
Nothing is hooked, and no attribute of the network changes, so there is nothing to put back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from explorer.evidence.case import centred
from explorer.types import Image, Network

ATTENTION = {"softmax", "scaled_dot_product_attention", "multi_head_attention_forward", "_native_multi_head_attention"}
_MIXES_PLACES = {"conv1d", "conv2d", "conv3d"}
ROUNDING = 1e-3  # by how much a row of weights may miss 1


class NoTransformerError(ValueError):
    """Why a network's attention cannot be followed from its patches to its logits."""


@dataclass(frozen=True, eq=False)
class Attended:
    """One picture's way through a transformer. `weights` are in the graph of `logits`.

    `read` says which tokens the logits are read from after the last layer: the class token alone, or, where all patches
    are averaged, every one. The relevance of a patch is the mean over these tokens of what reaches them from it.
    """

    logits: Tensor  # Z (k,), centred
    weights: tuple[Tensor, ...]  # (heads, tokens, tokens) of each layer, the first one first; rows sum to 1
    read: Tensor  # (tokens,) bool
    patches: Tensor  # (gh * gw,) which tokens are patches, row by row
    grid: tuple[int, int]  # rows and columns of patches

    def per_patch(self, flow: Tensor) -> Tensor:
        """What reaches the tokens that are read from each patch, (gh, gw), of a flow (to token, from token)."""
        return flow[self.read][:, self.patches].mean(0).view(self.grid)

    def slopes(self, label: int) -> tuple[Tensor, ...]:
        """The gradient of this class's centred logit with respect to the weights of each layer."""
        return torch.autograd.grad(self.logits[label], self.weights, retain_graph=True, materialize_grads=True)


def attend(network: Network, image: Image) -> Attended:
    """Follow the attention on `image` (3, h, w). Raises NoTransformerError if that cannot be done."""
    reader, given = _Reader(), image[None].clone().requires_grad_()
    with torch.enable_grad(), reader:
        logits = centred(network(given.clone()).float())[0]  # a network may write into what it is given
    weights = tuple(reader.weights)
    if reader.strange or not weights:
        raise NoTransformerError(reader.strange or "it needs a transformer whose tokens attend to each other")
    tokens = weights[0].shape[-1]
    if any(each.shape[1:] != (tokens, tokens) for each in weights):
        raise NoTransformerError("the network's layers have different numbers of tokens")
    grids = [grid for grid in reader.grids if grid[0] * grid[1] in (tokens, tokens - 1)]
    if not grids:
        raise NoTransformerError(f"its {tokens} tokens are not patches of the picture, with or without a class token")
    read = _read(logits, weights[-1])
    if not read.any():
        raise NoTransformerError("its logits do not come from what its tokens attend to")
    return Attended(logits, weights, read, _patches(read, grids[-1]), grids[-1])


def _read(logits: Tensor, last: Tensor) -> Tensor:
    """The tokens whose own row of the last layer's weights moves the logits."""
    if not last.requires_grad:
        return torch.zeros(last.shape[1], dtype=torch.bool, device=last.device)
    mixed = logits @ torch.linspace(1, 2, len(logits), dtype=logits.dtype, device=logits.device)
    (slope,) = torch.autograd.grad(mixed, last, retain_graph=True, materialize_grads=True)
    return (slope != 0).any(2).any(0)


def _patches(read: Tensor, grid: tuple[int, int]) -> Tensor:
    """All tokens, less the one that is no patch: the only one that is read, or that is not read, else the first."""
    every = torch.arange(len(read), device=read.device)
    if len(read) == grid[0] * grid[1]:
        return every
    odd = next((each for each in (read, ~read) if each.sum() == 1), every == 0)
    return every[~odd]


class _Reader(TorchFunctionMode):
    """Keeps the weights of every attention, and the shapes of the feature maps before the first one."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []
        self.grids: list[tuple[int, int]] = []
        self.strange = ""  # why this is no plain transformer

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name, kwargs = getattr(function, "__name__", ""), kwargs or {}
        if name == "multi_head_attention_forward":
            return self._multi_head(function, args, kwargs)
        if name == "scaled_dot_product_attention":
            return self._dot_product(function, *args, **kwargs)
        found = function(*args, **kwargs)
        if name == "softmax":
            return self._keep(found)
        if self.weights and name in _MIXES_PLACES:
            self.strange = "the network convolves after its tokens have attended to each other"
        elif not self.weights and torch.is_tensor(found) and found.ndim == 4 and len(found) == 1:
            self.grids.append(tuple(found.shape[2:]))
        return found

    def _keep(self, weights: Tensor) -> Tensor:
        if weights.ndim != 4 or len(weights) != 1 or weights.shape[2] != weights.shape[3]:
            self.strange = "its attention is not from every token of the picture to every one, as in windows"
        elif (weights.sum(3) - 1).abs().max() > ROUNDING:
            self.strange = "its attention weights do not sum to 1"
        else:
            own = weights[0].float()  # the network goes on from it, so that the logits depend on it
            self.weights.append(own)
            return own[None].to(weights.dtype)
        return weights

    def _multi_head(self, function: Callable, args: tuple, kwargs: dict) -> tuple[Tensor, Tensor | None]:
        """As nn.MultiheadAttention calls it: tokens (t, b, width), and what is optional is named."""
        query, key, value, width, heads, in_weight, in_bias, *extra, _, out_weight, out_bias = args
        masked = any(kwargs.get(name) is not None for name in ("attn_mask", "key_padding_mask"))
        own = query is key and key is value and in_weight is not None and query.ndim == 3
        if not own or masked or kwargs.get("is_causal") or any(map(_given, extra)):
            self.strange = "its nn.MultiheadAttention masks tokens, or does more than let them attend to each other"
            return function(*args, **kwargs)
        t, b, _ = query.shape
        parts = functional.linear(query, in_weight, in_bias).view(t, b, 3, heads, width // heads)
        mixed, weights = self._mix(*parts.permute(2, 1, 3, 0, 4))
        out = functional.linear(mixed.permute(2, 0, 1, 3).reshape(t, b, width), out_weight, out_bias)
        shown = weights.mean(1) if kwargs.get("average_attn_weights", True) else weights
        return out, shown if kwargs.get("need_weights", True) else None

    def _dot_product(
        self,
        function: Callable,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *args: Any,
        scale: float | None = None,
        **kwargs: Any,
    ) -> Tensor:
        if any(map(_given, (*args, *kwargs.values()))) or query.ndim != 4:
            self.strange = "its scaled_dot_product_attention masks tokens, or does more than let them attend"
            return function(query, key, value, *args, scale=scale, **kwargs)
        return self._mix(query, key, value, scale)[0]

    def _mix(self, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> tuple[Tensor, Tensor]:
        """softmax(q k') v, each (b, heads, t, d), and the weights, which are the softmax."""
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        weights = self._keep((query @ key.transpose(-2, -1) * scale).softmax(-1))
        return weights @ value, weights


def _given(option: Any) -> bool:
    return option is not None and not (isinstance(option, bool | int | float) and not option)
