"""The one border between this program and networks that others wrote: whatever they do, what comes out is logits.

A network is asked once, on copies, before anybody relies on it. One that keeps the contract ((b, 3, h, w) in [0, 1]
to float logits (b, k), each picture by itself, its input left alone) is used as it is; one that nearly does is wrapped;
for any other there is one sentence that says what was expected and what came.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from explorer.kernels import OneDNN, planes
from explorer.memory import is_shortage
from explorer.types import Images, Logits, Network

SAME = 1e-4  # relative to the largest logit: by how much two looks at the same picture may differ


class _Turn:
    """A lock that all twins of a network share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def __deepcopy__(self, _memo: dict) -> "_Turn":
        return self


class Adapted(nn.Module):
    """A network behind this border; its modules and weights are the network's own. What is no module, and so cannot be
    moved, sees its pictures on the CPU.
    """

    def __init__(
        self,
        network: Callable,
        *,
        copies: bool,
        one_by_one: bool,
        dense: bool = False,
        guarded: bool = False,
        origin: str = "",
    ) -> None:
        """`copies`: the network writes into its input; `one_by_one`: it takes a single picture only; `dense`: its
        pictures must lie channel by channel in memory, as for a `.view`; `guarded`: whatever it raises, at any time, is
        one sentence; `origin`: what tells it from others of the same modules and weights, or of none.
        """
        super().__init__()
        self.network = network
        self.copies, self.one_by_one, self.dense, self.origin = copies, one_by_one, dense, origin
        self.guarded = guarded
        self._turn = _Turn()
        self.training = getattr(network, "training", False)

    def extra_repr(self) -> str:
        """Its origin: two networks are known to be the same by their structure and their numbers."""
        return self.origin

    def train(self, mode: bool = True) -> "Adapted":
        """As of any module."""
        for module in self.modules():  # not by their .train(), which exported networks refuse, and others override
            module.training = mode
        return self

    def forward(self, images: Images) -> Logits:
        if self.one_by_one and len(images) > 1:
            return torch.cat([self(image[None]) for image in images])
        images = images.contiguous() if self.dense else images
        given = images if isinstance(self.network, nn.Module) else images.cpu()
        given = given.clone() if self.copies and given is images else given
        try:
            with planes() if self.dense else nullcontext(), self._alone():
                answer = self.network(given)
        except Exception as error:  # it may raise anything, and not only at the first look
            if not self.guarded or _is_shortage(error):
                raise
            raise ValueError(f"the network raised {type(error).__name__}: {_first_line(error)}") from error
        return _tensor_in(answer).to(images)

    def _alone(self) -> AbstractContextManager:
        """A function is the same in every twin of a network, and nobody knows whether it may run twice at a time."""
        return nullcontext() if isinstance(self.network, nn.Module) else self._turn.lock


def adapted(network: Callable, images: Images) -> tuple[Network, int]:
    """`network`, or a wrapper of it that keeps the contract, judged by its answers to the first of `images`
    (b, 3, h, w); and its number of classes.

    Raises ValueError with one sentence where neither can be had.
    """
    two = torch.cat([images[:1], 1 - images[:1]])  # two, so that no logits sum to 1 by chance
    given = two.clone()
    answer, one_by_one = _asked(network, given), False
    if isinstance(answer, Exception):
        given = two.clone()
        answers = [_asked(network, picture[None]) for picture in given]
        if any(isinstance(each, Exception) for each in answers):
            answer = answer.__cause__ or answer if getattr(network, "guarded", False) else answer
            shape, kind = tuple(two.shape), type(answer).__name__
            raise ValueError(
                f"the network must take pictures of shape (b, 3, {shape[2]}, {shape[3]}); on {shape} it raised "
                f"{kind}: {_first_line(answer)}"
            ) from answer
        answer, one_by_one = torch.cat([_checked(_tensor_in(each), 1) for each in answers]), True
    logits = _checked(_tensor_in(answer), 2)
    _finite_and_unnormalised(logits)
    again = _checked(_tensor_in(_asked(network, two[:1].clone())), 1)
    if (again[0] - logits[0]).abs().max() > SAME * logits.abs().max().clamp_min(1):
        raise ValueError(
            "the network must give the same picture the same logits every time; this one depends on chance, on what it "
            "saw before, or on the other pictures of a batch."
        )
    copies = not torch.equal(given, two)
    dense = _is_dense(network, two[:1], logits[:1]) if one_by_one else _is_dense(network, two, logits)
    plain = torch.is_tensor(answer) and logits.dtype == images.dtype
    if plain and not copies and not one_by_one and not dense:
        return network, logits.shape[1]
    return Adapted(network, copies=copies, one_by_one=one_by_one, dense=dense), logits.shape[1]


def as_it_takes(network: Callable, images: Images) -> Images:
    """Pictures in double precision as float32, if that is what the network computes with; others as they are."""
    if not isinstance(network, nn.Module) or images.dtype != torch.float64:
        return images
    kinds = {tensor.dtype for tensor in chain(network.parameters(), network.buffers()) if tensor.is_floating_point()}
    return images.float() if torch.float32 in kinds and torch.float64 not in kinds else images


def _is_dense(network: Callable, some: Images, logits: Logits) -> bool:
    """Whether the network fails, or answers otherwise, where the channels come last, as they do on a CPU for speed."""
    if some.device.type != "cpu":
        return False
    with OneDNN():
        answer = _asked(network, some.clone(memory_format=torch.channels_last))
    if isinstance(answer, Exception):
        return True
    return bool((_tensor_in(answer) - logits).abs().max() > SAME * logits.abs().max().clamp_min(1))


def _asked(network: Callable, images: Images) -> Any:
    """The network's answer, or what it raised."""
    try:
        with torch.no_grad():
            return network(images)
    except Exception as error:  # it may raise anything; its author needs to read what
        if _is_shortage(error):
            raise
        return error


def _is_shortage(error: Exception) -> bool:
    return isinstance(error, ValueError | RuntimeError | MemoryError) and is_shortage(error)


def _tensor_in(answer: Any) -> Tensor:
    """The one tensor of logits in a network's answer: itself, its `logits`, or the only one in a tuple or dict."""
    if torch.is_tensor(answer):
        return answer
    if isinstance(answer, Exception):
        raise answer
    named = answer.get("logits") if isinstance(answer, Mapping) else getattr(answer, "logits", None)
    if torch.is_tensor(named):
        return named
    values = [*answer.values()] if isinstance(answer, Mapping) else [*answer] if isinstance(answer, Sequence) else []
    tensors = [value for value in values if torch.is_tensor(value)]
    if len(tensors) != 1:
        what = f"{type(answer).__name__} with {len(tensors)} tensors" if values else type(answer).__name__
        raise ValueError(f"the network must return logits, a tensor of shape (b, k); got a {what}.")
    return tensors[0]


def _checked(logits: Tensor, n: int) -> Logits:
    if logits.ndim != 2 or logits.shape[0] != n or logits.shape[1] < 2 or not logits.is_floating_point():
        raise ValueError(
            f"the network must return floating-point logits of shape (b, k) with k >= 2; got "
            f"{tuple(logits.shape)} of {logits.dtype} for {n} picture{'s' * (n > 1)}."
        )
    return logits


def _finite_and_unnormalised(logits: Logits) -> None:
    if not torch.isfinite(logits).all():
        raise ValueError("the network must return finite logits; got NaN or infinity.")
    if (logits >= 0).all() and torch.allclose(logits.sum(1), torch.ones_like(logits[:, 0]), atol=1e-4):
        raise ValueError("the network must return logits; got probabilities (they sum to 1): leave the softmax out.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0]
