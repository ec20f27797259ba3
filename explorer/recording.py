"""A network's pass as one call, recorded once, for batches on a CPU.

Python runs one thread at a time, and a network asks for its lock once for each of its layers, forth and back: two
workers that attack, and the pages of a server, wait for one another. What torch.jit has recorded runs without Python.
It must give the same to the last bit, which is tried; a single picture, which torch would convolve by other kernels,
is seen as ever.
"""

import threading
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from explorer.kernels import OneDNN, seen_by
from explorer.types import Images, Logits, Network


class Recorded:
    """A network, on batches by its recording."""

    def __init__(self, network: Network, recording: Network) -> None:
        self._network, self._recording = network, recording

    def __call__(self, images: Images) -> Logits:
        """See Network."""
        if len(images) < 2:
            return self._network(images)
        with torch.jit.optimized_execution(False):  # what it would rewrite might round otherwise
            return self._recording(images)


@dataclass(frozen=True)
class _Recording:
    weights: tuple  # where they lie, and how often they were changed
    run: Network | None  # None: there is none that gives the same


_guard = threading.Lock()
_known: "weakref.WeakKeyDictionary[nn.Module, dict[torch.Size, _Recording]]" = weakref.WeakKeyDictionary()


def recorded(network: Network, images: Images) -> Network:
    """For these images (b, 3, h, w): `network`, or the same by its recording, where several are on a CPU and the
    network says that it is `recordable`: whatever it sees, it computes the same way.
    """
    if len(images) < 2 or images.device.type != "cpu" or getattr(network, "recordable", False) is not True:
        return network
    with _guard:
        known = _known.setdefault(network, {})
    weights = tuple((each.data_ptr(), each._version) for each in chain(network.parameters(), network.buffers()))
    found = known.get(images.shape[1:])
    if found is None or found.weights != weights:
        found = known[images.shape[1:]] = _Recording(weights, _record(network, images))
    return network if found.run is None else Recorded(network, found.run)


def _record(network: nn.Module, images: Images) -> Callable | None:
    """The recording, if it gives the same logits and the same gradients as the network does."""
    pictures = torch.cat([images[:2], 1 - images[:1]])
    try:
        # torch.jit warns that it will go one day
        with warnings.catch_warnings(action="ignore"), torch.no_grad(), OneDNN():
            run = torch.jit.trace(network, (pictures[:2].contiguous(),), check_trace=False)
        tries = [[_looked(each, pictures[:n]) for each in (network, Recorded(network, run))] for n in (2, 3)]
    except (AttributeError, RuntimeError):  # then without
        return None
    same = all(torch.equal(*pair) for one, other in tries for pair in zip(one, other, strict=True))
    return run if same else None


def _looked(network: Network, pictures: Images) -> tuple[Logits, Tensor]:
    """Logits, and the gradient of how far the largest is above the mean."""
    pictures = pictures.clone().requires_grad_()
    with torch.enable_grad():
        logits = seen_by(network, pictures)
        (gradient,) = torch.autograd.grad((logits.amax(1) - logits.mean(1)).sum(), pictures)
    return logits.detach(), gradient
