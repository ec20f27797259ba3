"""One lock per network. Captum's hooks change a shared module's gradients while they are on, so nobody else may
run that module meanwhile; attack and evidence take this lock around their work.
"""

import threading
import weakref
from collections.abc import Callable

_guard = threading.Lock()
_locks: "weakref.WeakKeyDictionary[Callable, threading.RLock]" = weakref.WeakKeyDictionary()


def exclusive(network: Callable) -> threading.RLock:
    """The re-entrant lock of this network; use it as a context manager."""
    with _guard:
        return _locks.setdefault(network, threading.RLock())
