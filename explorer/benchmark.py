"""Attacks side by side on the same pictures, in one run: how often, how few pixels, how long, how much memory."""

import ctypes
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.attacks import Attack
from explorer.images import load_image, to_png
from explorer.numerics import Share, margins
from explorer.passes import Counted
from explorer.types import Counts, Flags, Images, Labels, Network, PerImage

REFERENCE = "sigma-zero"  # times are given relative to the first attack whose name starts so


@dataclass(frozen=True)
class Row:
    """What one attack did on all pictures. Counts are of the fooled pictures; NaN where there is none."""

    attack: str
    pictures: int
    success: float  # share of the pictures that are fooled
    png_fools: float  # share that still fools after being saved as PNG and read back
    mean_pixels: float
    median_pixels: float
    mean_entries: float
    median_entries: float
    seconds: float  # for all pictures
    time_ratio: float  # to the reference; NaN without one
    memory_mb: float  # most memory of one batch beyond what was in use before it; NaN where it cannot be measured
    forward_passes: float  # of one picture, per attacked picture; NaN on CUDA, which replays what was recorded
    backward_passes: float


@dataclass(frozen=True)
class Overhead:
    """What the attack's own arithmetic costs on top of the network's."""

    attack_seconds: float  # one batch without pruning and polishing
    network_seconds: float  # as many bare forward and backward passes as the attack took steps
    steps: int

    @property
    def ratio(self) -> float:
        return self.attack_seconds / self.network_seconds


def compare(
    network: Network,
    images: Images,
    labels: Labels,
    attacks: Mapping[str, Attack | Callable],
    *,
    batch: int,
    on_progress: Callable[[str], None] | None = None,
) -> list[Row]:
    """One row per attack, on images (n, 3, h, w) with labels (n,), `batch` at a time. Whatever is called as our attacks
    are, and returns an AttackResult, can be compared.

    The attacks take turns at every batch, so that a machine that slows down slows all of them. `on_progress` hears the
    name of each attack after each batch.
    """
    runs: dict[str, list[Run]] = {name: [] for name in attacks}
    _forward_backward(network, images[:batch])  # libraries are loaded and tuned before anything is timed
    for some, their_labels in zip(images.split(batch), labels.split(batch), strict=True):
        for name, attack in attacks.items():
            runs[name].append(measure(network, some, their_labels, attack))
            if on_progress:
                on_progress(name)
    return rows(runs)


def rows(runs: Mapping[str, Sequence["Run"]]) -> list[Row]:
    """One row per attack, of what it did on batch after batch."""
    seconds = {name: sum(run.seconds for run in of) for name, of in runs.items()}
    reference = next((seconds[name] for name in runs if name.startswith(REFERENCE)), math.nan)
    return [_row(name, of, seconds[name] / reference) for name, of in runs.items()]


def overhead(network: Network, images: Images, labels: Labels, attack: Attack, repeats: int) -> Overhead:
    """Time of `attack`, which should neither prune nor polish, against as many bare passes on the same batch as it
    took steps.

    Medians of `repeats` measurements, in turns.
    """
    attack_seconds, network_seconds = [], []
    steps = len(attack(network, images, labels).trace.margin)  # this first run loads libraries and tunes them as well
    for _ in range(repeats):
        attack_seconds.append(_seconds(images.device, lambda: attack(network, images, labels)))
        network_seconds.append(
            _seconds(images.device, lambda: [_forward_backward(network, images) for _ in range(steps)])
        )
    return Overhead(statistics.median(attack_seconds), statistics.median(network_seconds), steps)


@dataclass(frozen=True)
class Run:
    """One attack on one batch; tensors are on the CPU."""

    adversarial: Images
    adversarial_labels: Labels  # what the network sees in them
    succeeded: Flags
    png_fools: Flags
    n_pixels: Counts
    n_entries: Counts
    seconds: float
    memory: float  # bytes
    forward_passes: float  # of one picture each
    backward_passes: float

    @property
    def fewest(self) -> PerImage:
        """Changed pixels with which each picture is fooled; infinite where it is not."""
        return self.n_pixels.double().masked_fill(~self.succeeded, math.inf)


def measure(network: Network, images: Images, labels: Labels, attack: Attack | Callable) -> Run:
    """One attack on one batch."""
    memory = PeakMemory(images.device)
    results = []
    counted = Counted(network)
    seconds = _seconds(images.device, lambda: results.append(attack(counted, images, labels)))
    peak = memory.peak()
    (result,) = results
    read_back = torch.stack([load_image(to_png(image)) for image in result.adversarial]).to(images)
    with torch.no_grad():
        png_fools = margins(network(read_back), result.labels) < 0
    each = result.adversarial, result.adversarial_labels, result.succeeded, png_fools, result.n_pixels, result.n_entries
    passes = counted.forward_passes, counted.backward_passes
    if images.device.type == "cuda":
        passes = math.nan, math.nan
    return Run(*(tensor.cpu() for tensor in each), seconds, peak, *map(float, passes))


def worst_case(fewest: Sequence[PerImage]) -> PerImage:
    """Of several attacks on the same pictures: the fewest pixels with which any of them fools each picture."""
    return torch.stack([*fewest]).amin(0)


def fooled_within(fewest: PerImage, k: int) -> Share:
    """How many pictures are fooled by at most `k` changed pixels; what is missing is the robust accuracy at k."""
    return Share(int((fewest <= k).sum()), len(fewest))


def _row(name: str, runs: Sequence[Run], time_ratio: float) -> Row:
    succeeded = torch.cat([run.succeeded for run in runs])
    pixels = torch.cat([run.n_pixels for run in runs])[succeeded].tolist() or [math.nan]
    entries = torch.cat([run.n_entries for run in runs])[succeeded].tolist() or [math.nan]
    return Row(
        attack=name,
        pictures=len(succeeded),
        success=succeeded.double().mean().item(),
        png_fools=torch.cat([run.png_fools for run in runs]).double().mean().item(),
        mean_pixels=statistics.fmean(pixels),
        median_pixels=float(statistics.median(pixels)),
        mean_entries=statistics.fmean(entries),
        median_entries=float(statistics.median(entries)),
        seconds=sum(run.seconds for run in runs),
        time_ratio=time_ratio,
        memory_mb=max(run.memory for run in runs) / 1e6,
        forward_passes=sum(run.forward_passes for run in runs) / len(succeeded),
        backward_passes=sum(run.backward_passes for run in runs) / len(succeeded),
    )


def _forward_backward(network: Network, images: Images) -> None:
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        total = network(images).sum()
        if total.requires_grad:  # a random search compares networks that give none as well
            torch.autograd.grad(total, images)


def _seconds(device: torch.device, work: Callable[[], object]) -> float:
    _synchronise(device)
    started = time.perf_counter()
    work()
    _synchronise(device)
    return time.perf_counter() - started


def _synchronise(device: torch.device) -> None:
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
            ctypes.CDLL(None).malloc_trim(0)  # what earlier work has freed is given back, or it would be used unseen
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
            self._before = _high_water()
        except (OSError, AttributeError):
            self._before = math.nan

    def peak(self) -> float:
        """Bytes; NaN where it cannot be measured."""
        if self._device.type == "cuda":
            return float(torch.cuda.max_memory_allocated(self._device) - self._before)
        return _high_water() - self._before if math.isfinite(self._before) else math.nan


def _high_water() -> float:
    """Bytes of resident memory at the peak."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return float(line.split()[1]) * 1024
