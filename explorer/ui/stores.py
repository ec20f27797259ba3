"""What the server keeps for all visitors, for as long as it lives."""

from collections.abc import Callable
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
