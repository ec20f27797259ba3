"""Leave no trace, and let the caller leave none: Captum hooks the network and draws from the process's own random
numbers, and a caller may have forbidden gradients or allowed less than float32.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from explorer.exact import exact_arithmetic
from explorer.frozen import frozen
from explorer.kernels import kept_in_order
from explorer.locks import exclusive
from explorer.memory import as_one_sentence
from explorer.types import Image, Network

_HOOKS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
)
_turn = threading.RLock()


@contextmanager
def untouched(network: Network) -> Iterator[None]:
    """Whatever happens inside, the network's hooks and attributes are afterwards what they were."""
    modules = list(network.modules()) if isinstance(network, torch.nn.Module) else []
    kept = [(module, {*vars(module)}, [{*getattr(module, name)} for name in _HOOKS]) for module in modules]
    try:
        yield
    finally:
        for module, attributes, hooks in kept:
            for name in {*vars(module)} - attributes:  # DeepLift leaves some behind
                delattr(module, name)
            for name, before in zip(_HOOKS, hooks, strict=True):
                now = getattr(module, name)
                for key in {*now} - before:
                    del now[key]


@contextmanager
def undisturbed(network: Network, image: Image) -> Iterator[None]:
    """What everything that looks at a network works in: nobody else runs it meanwhile, it evaluates, its weights are
    frozen, it is untouched, arithmetic on the image's device is exact, gradients are there whatever the caller forbade
    (tensors that are made in inference mode never have any), and running out of memory becomes one sentence.
    """
    device = image.device if torch.is_tensor(image) else torch.device("cpu")
    normal = torch.inference_mode(False)  # which allows gradients under no_grad as well
    with (
        exclusive(network), frozen(network), kept_in_order(network), untouched(network),
        exact_arithmetic(device), normal, as_one_sentence(),
    ):  # fmt: skip
        yield


@contextmanager
def process_wide(seed: int = 0) -> Iterator[None]:
    """One thread at a time: the global random numbers start from `seed`, Captum's notes about its hooks are silent,
    and both are afterwards what they were.
    """
    with _turn, torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = np.random.get_state()
        np.random.seed(seed)
        torch.random.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)
