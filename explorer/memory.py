"""How many pictures a device can work on at once: asked of device and network, and fewer where that fails."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from explorer.types import Images, Network

T = TypeVar("T")

SHARE = 0.5  # of what is free that one attack may take
# At once on a CPU, pictures and floats: few enough that activations stay in its cache, and enough that the last few
# pictures that a search goes on with share their passes.
CPU_PICTURES, CPU_VALUES = 64, 2**20
LARGEST_REUSED, MOST_REUSED = 2**25, 2**26  # bytes, see `reuse_freed`; of a block, the most that glibc lets one set
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
UNKNOWN = 2**31  # bytes that are taken to be free where nobody tells
UNKNOWN_FACTOR = 100  # times its own size is what a picture is taken to need where nobody tells


ON_SHORTAGE: list[Callable[[], object]] = []  # what lets go of memory that is only kept to save time


class TooLarge(ValueError):
    """Not even one picture at a time fits; the message says so in one sentence."""


@dataclass(frozen=True)
class Room:
    """How many pictures one attack may look at together."""

    at_once: int  # step after step
    in_all: int  # once, without gradients


def room_for(images: Images, n_bytes: int) -> Room:
    """How many pictures like `images` (b, 3, h, w) there is room for, by what the device has free and the `n_bytes`
    that a forward pass of one keeps for the backward pass (0: nobody knows).
    """
    values, device = images[0].numel(), images.device
    each = n_bytes or UNKNOWN_FACTOR * values * images.element_size()
    fitting = max(1, int(SHARE * free_bytes(device) / each))
    if device.type != "cpu":
        return Room(fitting, fitting)
    return Room(max(1, min(fitting, CPU_PICTURES, CPU_VALUES // values)), fitting)


class Kept:
    """The activations that autograd has kept for a backward pass."""

    def __init__(self, leaving_out: set[int]) -> None:
        self._leaving_out, self._storages = leaving_out, {}

    def __call__(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        weight = isinstance(tensor if tensor._base is None else tensor._base, torch.nn.Parameter)  # of a function's own
        if not weight and storage.data_ptr() not in self._leaving_out:
            self._storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def n_bytes(self) -> int:
        return sum(self._storages.values())


@contextmanager
def saved_for_backward(network: Network) -> Iterator[Kept]:
    """What is kept by the forward passes inside, without the network's own weights."""
    weights = [*network.parameters(), *network.buffers()] if isinstance(network, torch.nn.Module) else []
    kept = Kept({weight.untyped_storage().data_ptr() for weight in weights})
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        yield kept


def free_bytes(device: torch.device) -> int:
    """Memory that can still be taken on this device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    free = [_meminfo(), _cgroup()]
    return min((each for each in free if each is not None), default=UNKNOWN)


def shrinking(work: Callable[[int], T], size: int, least: int = 1) -> T:
    """What `work` returns for this many pictures at once, or for half as many and so on, as long as memory runs out.

    It starts anew with each size. Raises TooLarge where `least` pictures at once are too many.
    """
    while True:
        with as_one_sentence():
            try:
                return work(size)
            except (RuntimeError, MemoryError) as error:
                if size <= least or not is_shortage(error):
                    raise
        size = max(least, size // 2)  # out here the error, and with it what its frames hold, is gone
        for let_go in ON_SHORTAGE:
            let_go()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


@contextmanager
def as_one_sentence() -> Iterator[None]:
    """Running out of memory, or losing the device, becomes one sentence: TooLarge, or a ValueError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_shortage(error):
            raise TooLarge(
                "The network is too large for the memory of this device: even one picture at a time does not fit. "
                "Choose a smaller network, a smaller picture or another device."
            ) from error
        if _is_loss(error):
            raise ValueError(
                "The device stopped answering in the middle of the work: restart the program, or choose another device."
            ) from error
        raise


def is_shortage(error: BaseException) -> bool:
    """Whether memory ran out: on a CPU, and in CUDA's libraries, torch has no error of its own for it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "ALLOC_FAILED", "out of memory"))


def _is_loss(error: BaseException) -> bool:
    told = str(error)
    return isinstance(error, torch.AcceleratorError) or ("CUDA error" in told and "captur" not in told)


def _meminfo() -> int | None:
    """What Linux can give to this machine's processes."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # not on Linux
        return None


def _cgroup() -> int | None:
    """What is left of a container's limit, if it has one."""
    try:
        root = Path("/sys/fs/cgroup")
        limit, used = (int((root / f"memory.{name}").read_text()) for name in ("max", "current"))
        known = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
        return limit - used + int(known["inactive_file"])  # pages of files that were read make room
    except (OSError, ValueError, KeyError):  # no such limit
        return None


def reuse_freed() -> None:
    """From now on what was freed is used again, where the C library is glibc: blocks of up to LARGEST_REUSED bytes, up
    to MOST_REUSED of each thread; `give_back` gives them to the system. By itself glibc gives each large block back at
    once, and the next one of a batch's many activations costs its pages anew.
    """
    with suppress(OSError, AttributeError, TypeError):
        for parameter, n_bytes in ((_M_MMAP_THRESHOLD, LARGEST_REUSED), (_M_TRIM_THRESHOLD, MOST_REUSED)):
            ctypes.CDLL(None).mallopt(parameter, n_bytes)


def give_back() -> None:
    """What was freed goes back to the system, where the C library can be asked for it: glibc keeps much of it."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
