"""One lock per network. Captum's hooks change a shared module's gradients while they are on, so nobody else may
run that module meanwhile; attack and evidence take this lock around their work. Who only looks at pictures need not
wait for it: a read-only twin is never hooked. Nor need workers wait for each other: each has a twin of its own.
"""

import copy
import threading
import weakref
from collections.abc import Callable, Iterator
from itertools import chain

from torch import Tensor, nn

_guard = threading.Lock()
_locks: "weakref.WeakKeyDictionary[Callable, threading.RLock]" = weakref.WeakKeyDictionary()


def exclusive(network: Callable) -> threading.RLock:
    """The re-entrant lock of this network; use it as a context manager."""
    try:
        with _guard:
            return _locks.setdefault(network, threading.RLock())
    except TypeError as error:
        raise ValueError(
            f"the network must be a torch module or a function, which can be told from others; got "
            f"{type(network).__name__}."
        ) from error


_twins: "weakref.WeakKeyDictionary[nn.Module, nn.Module]" = weakref.WeakKeyDictionary()
_mine = threading.local()


def read_only_twin(network: nn.Module) -> nn.Module:
    """A twin in evaluation mode that shares the network's weights, and none of its modules: it may look at pictures
    while others hold the lock, which is only taken to make it: once, and anew if the network was moved.
    """
    twin = _twins.get(network)
    if twin is None or _moved(twin, network):
        with exclusive(network):
            twin = _twins[network] = _copy(network)
    return twin


def own_twin(network: nn.Module) -> nn.Module:
    """Such a twin of this thread's own, which it may do anything with that it may do with the network. It is made of
    the read-only one, which nobody changes: nobody is waited for.
    """
    if not hasattr(_mine, "twins"):
        _mine.twins = weakref.WeakKeyDictionary()
    twin = _mine.twins.get(network)
    if twin is None or _moved(twin, network):
        twin = _mine.twins[network] = _copy(read_only_twin(network))
    return twin


def _copy(network: nn.Module) -> nn.Module:
    shared = {id(tensor): tensor for tensor in _tensors(network)}
    return copy.deepcopy(network, shared).eval()


def _moved(twin: nn.Module, network: nn.Module) -> bool:
    return [*map(id, _tensors(twin))] != [*map(id, _tensors(network))]


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    return chain(network.parameters(), network.buffers())
