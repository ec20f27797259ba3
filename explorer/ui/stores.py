"""What the server keeps for all visitors, for as long as it lives."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")


class Store(Generic[T]):
    """Made when it is first asked for. Not Streamlit's cache: any client may clear that, for everybody."""

    def __init__(self, make: Callable[[], T]) -> None:
        self.__doc__ = make.__doc__
        self._made = cache(make)

    def __call__(self) -> T:
        return self._made()

    def clear(self) -> None:
        """Make it anew when it is asked for again: for tests."""
        self._made.cache_clear()


def server_wide(make: Callable[[], T]) -> Store[T]:
    """A decorator: the one of this server."""
    return Store(make)


class Recent(Generic[T]):
    """What was made for the keys that were asked for last."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """From before, or made now; two who ask at once may both make it."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._guard:
            self._kept[key] = made
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made
