"""Garbage is collected now and then, not after every run of a page, as Streamlit would.

What a visitor has left, a network of their own perhaps, often refers to itself, and is let go only when somebody
collects; Python by itself may take long to. But a collection holds Python's lock for as long as half a page takes.
"""

import gc
import threading

from explorer.memory import give_back

EVERY = 10.0  # seconds

_guard = threading.Lock()
_coming: threading.Timer | None = None


def collect_soon() -> None:
    """Collect, and give the memory back, within EVERY seconds: once for all who say so until then. The last who leaves
    is the last who says so, so nothing is held for nobody.
    """
    global _coming
    with _guard:
        if _coming is None:
            timer = threading.Timer(EVERY, _collect)
            timer.daemon = True
            timer.start()
            _coming = timer


def _collect() -> None:
    global _coming
    with _guard:
        _coming = None
    gc.collect()
    give_back()
