"""Leave no trace: Captum hooks the network and draws from the process's own random numbers."""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

_HOOKS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
)
_turn = threading.RLock()


@contextmanager
def untouched(network: Callable) -> Iterator[None]:
    """Whatever happens inside, the network's hooks, modes and attributes are afterwards what they were."""
    modules = list(network.modules()) if isinstance(network, torch.nn.Module) else []
    kept = [
        (module, module.training, {*vars(module)}, [{*getattr(module, name)} for name in _HOOKS]) for module in modules
    ]
    try:
        yield
    finally:
        for module, training, attributes, hooks in kept:
            module.training = training
            for name in {*vars(module)} - attributes:  # DeepLift leaves some behind
                delattr(module, name)
            for name, before in zip(_HOOKS, hooks, strict=True):
                now = getattr(module, name)
                for key in {*now} - before:
                    del now[key]


@contextmanager
def evaluating(network: Callable) -> Iterator[None]:
    """The network in evaluation mode, and untouched."""
    with untouched(network):
        if isinstance(network, torch.nn.Module):
            network.eval()
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
