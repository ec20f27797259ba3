"""Garbage is collected now and then, not after every run of a page, as Streamlit would.

What a visitor has left, a network of their own perhaps, often refers to itself, and is let go only when somebody
collects; Python by itself may take long to. But a collection holds Python's lock for as long as half a page takes.
"""

import gc
import threading
import time

from explorer.memory import give_back

EVERY = 10.0  # seconds

_guard, _last = threading.Lock(), time.monotonic()


def collect_now_and_then() -> None:
    """Collect, if nobody has for EVERY seconds, and give the memory back."""
    global _last
    with _guard:
        due = time.monotonic() - _last >= EVERY
        if due:
            _last = time.monotonic()
    if due:
        gc.collect()
        give_back()
