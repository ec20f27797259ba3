"""What a piece of work costs: its time, and the most memory that it takes."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from explorer.memory import give_back


def seconds(device: torch.device, work: Callable[[], object]) -> float:
    """Of work on a device, until the device has done it."""
    synchronise(device)
    started = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - started


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # this one, which need not be the current one
    elif device.type != "cpu":
        getattr(torch, device.type).synchronize()


class PeakMemory:
    """The most memory that is in use at once, beyond what was in use when this was made.

    On CUDA, what torch has allocated. Elsewhere the resident memory of the process, which Linux alone tells.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
            return
        try:
            give_back()  # what earlier work has freed would be used unseen
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
            self._before = _high_water()
        except (OSError, AttributeError):
            self._before = math.nan

    def peak(self) -> float:
        """Bytes; NaN where it cannot be measured."""
        if self._device.type == "cuda":
            return max(0.0, float(torch.cuda.max_memory_allocated(self._device) - self._before))
        if not math.isfinite(self._before):
            return math.nan
        return max(0.0, _high_water() - self._before)  # another thread may have begun anew


def _high_water() -> float:
    """Bytes of resident memory at the peak."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return float(line.split()[1]) * 1024
