"""Work on many pictures at once that may be more than the memory holds: then on fewer at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")

BATCH_VALUES = 2**19  # floats of input that are attacked at once: 42 images of 64 x 64, 170 of 32 x 32, 3 of 224 x 224


class TooLarge(ValueError):
    """Not even one picture at a time fits; the message says so in one sentence."""


def shrinking(work: Callable[[int], T], size: int, least: int = 1) -> T:
    """What `work` returns for this many pictures at once, or for half as many and so on, as long as memory runs out.

    It starts anew with each size. Raises TooLarge where `least` pictures at once are too many.
    """
    while True:
        with told():
            try:
                return work(size)
            except (RuntimeError, MemoryError) as error:
                if size <= least or not _is_shortage(error):
                    raise
        size = max(least, size // 2)  # out here the error, and with it what its frames hold, is gone
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


@contextmanager
def told() -> Iterator[None]:
    """Running out of memory becomes one sentence: TooLarge."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_shortage(error):
            raise
        raise TooLarge(
            "The network is too large for the memory of this device: even one picture at a time does not fit. Choose a "
            "smaller network, a smaller picture or another device."
        ) from error


def _is_shortage(error: BaseException) -> bool:
    """On a CPU torch has no error of its own for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
