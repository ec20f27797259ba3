"""Attacks side by side on the same pictures, in one run: how often, how few pixels, how long, how much memory."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from explorer.attacks import Attack
from explorer.numerics import Share
from explorer.studies.cost import seconds
from explorer.studies.ledger import Row
from explorer.studies.plan import Setting, Terms
from explorer.studies.study import Study
from explorer.studies.subject import Subject
from explorer.types import Images, Labels, Network, PerImage

REFERENCE = "sigma-zero"  # times are given relative to the first attack whose name starts so
TERMS = Terms(mixed=False, png=True)  # as people attack


@dataclass(frozen=True)
class Summary:
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
    attacks: Mapping[str, Setting],
    *,
    batch: int,
    on_progress: Callable[[int], None] | None = None,
) -> list[Summary]:
    """One line per attack, on images (n, 3, h, w) with labels (n,), `batch` at a time.

    The attacks take turns at every batch, so that a machine that slows down slows all of them. `on_progress` hears how
    many runs, of one attack on one picture each, were done after each batch.
    """
    _forward_backward(network, images[:batch])  # libraries are loaded and tuned before anything is timed
    study = Study([Subject("", network, images, labels)], [*attacks.values()], batch=batch, terms=TERMS)
    while study.advance():
        if on_progress:
            on_progress(study.done)
    return summaries(rows_by_attack(study, attacks))


def rows_by_attack(study: Study, attacks: Mapping[str, Setting]) -> dict[str, list[Row]]:
    """Of a study of one subject with these attacks: what is done, in the order of the pictures, for each name."""
    known = study.ledger.rows
    return {
        name: [known[run.key] for run in study.runs if run.setting == attack and run.key in known]
        for name, attack in attacks.items()
    }


def summaries(rows: Mapping[str, Sequence[Row]]) -> list[Summary]:
    """One line per attack, of its rows."""
    times = {name: sum(row["seconds"] for row in of) for name, of in rows.items()}
    reference = next((times[name] for name in rows if name.startswith(REFERENCE)), math.nan)
    return [_summary(name, of, times[name] / reference) for name, of in rows.items()]


def overhead(network: Network, images: Images, labels: Labels, attack: Attack, repeats: int) -> Overhead:
    """Time of `attack`, which should neither prune nor polish, against as many bare passes on the same batch as it
    took steps.

    Medians of `repeats` measurements, in turns.
    """
    attack_seconds, network_seconds = [], []
    steps = len(attack(network, images, labels).trace.margin)  # this first run loads libraries and tunes them as well
    for _ in range(repeats):
        attack_seconds.append(seconds(images.device, lambda: attack(network, images, labels)))
        network_seconds.append(
            seconds(images.device, lambda: [_forward_backward(network, images) for _ in range(steps)])
        )
    return Overhead(statistics.median(attack_seconds), statistics.median(network_seconds), steps)


def fewest(rows: Sequence[Row]) -> PerImage:
    """Changed pixels with which each picture is fooled; infinite where it is not."""
    return torch.tensor([row["n_pixels"] if row["succeeded"] else math.inf for row in rows], dtype=torch.float64)


def worst_case(fewest: Sequence[PerImage]) -> PerImage:
    """Of several attacks on the same pictures: the fewest pixels with which any of them fools each picture."""
    return torch.stack([*fewest]).amin(0)


def fooled_within(fewest: PerImage, k: int) -> Share:
    """How many pictures are fooled by at most `k` changed pixels; what is missing is the robust accuracy at k."""
    return Share(int((fewest <= k).sum()), len(fewest))


def _summary(name: str, rows: Sequence[Row], time_ratio: float) -> Summary:
    fooled = [row for row in rows if row["succeeded"]]
    pixels = [row["n_pixels"] for row in fooled] or [math.nan]
    entries = [row["n_entries"] for row in fooled] or [math.nan]
    return Summary(
        attack=name,
        pictures=len(rows),
        success=len(fooled) / len(rows),
        png_fools=_mean(rows, "png_fools"),
        mean_pixels=statistics.fmean(pixels),
        median_pixels=float(statistics.median(pixels)),
        mean_entries=statistics.fmean(entries),
        median_entries=float(statistics.median(entries)),
        seconds=sum(row["seconds"] for row in rows),
        time_ratio=time_ratio,
        memory_mb=max(_number(row["memory_mb"]) for row in rows),
        forward_passes=_mean(rows, "forward_passes"),
        backward_passes=_mean(rows, "backward_passes"),
    )


def _mean(rows: Sequence[Row], name: str) -> float:
    return statistics.fmean(_number(row[name]) for row in rows)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _forward_backward(network: Network, images: Images) -> None:
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        total = network(images).sum()
        if total.requires_grad:  # a random search compares networks that give none as well
            torch.autograd.grad(total, images)
