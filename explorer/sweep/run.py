"""Doing a sweep: each run is one image of a batch, with settings of its own where its attack allows that."""

import dataclasses
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import torch
from torch import Tensor, nn

from explorer.attacks import Attack
from explorer.exact import exact_arithmetic
from explorer.hashes import image_sha256, network_sha256
from explorer.locks import exclusive
from explorer.sweep.ledger import Ledger, Row
from explorer.sweep.measures import measures
from explorer.sweep.plan import run_key, shared
from explorer.sweep.shipped import find_shipped
from explorer.types import Images, Labels, OnStep

LARGEST_BATCH = 128
BATCH_VALUES = 2**19  # floats of input


@dataclass(frozen=True)
class Subject:
    """A network and the pictures that it is attacked on."""

    name: str  # of the network
    network: nn.Module
    images: Images
    labels: Labels
    pictures: Sequence[str] = ()  # their names; by default their numbers

    @cached_property
    def network_sha256(self) -> str:
        return network_sha256(self.network)

    @cached_property
    def images_sha256(self) -> list[str]:
        return [image_sha256(image) for image in self.images]

    def picture(self, index: int) -> str:
        return self.pictures[index] if self.pictures else str(index)

    @property
    def batch(self) -> int:
        """Runs that are done, and kept, together; the attack itself looks at as many at once as there is room for."""
        return max(1, min(LARGEST_BATCH, BATCH_VALUES // self.images[0].numel()))


@dataclass(frozen=True)
class Run:
    """One setting on one picture of one subject."""

    setting: Attack
    subject: Subject
    index: int  # of the picture
    key: str = field(compare=False)

    @property
    def identity(self) -> tuple[Attack, str, int, str]:
        """What decides what comes out: setting, picture, class, network, by their contents."""
        subject = self.subject
        return self.setting, subject.images_sha256[self.index], int(subject.labels[self.index]), subject.network_sha256


class Sweep:
    """Every setting on every picture of every subject; what the ledger knows already is not done again."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        settings: Sequence[Attack],
        ledger: Ledger | None = None,
        *,
        batch: int | None = None,
        alone: bool = True,
        shipped: bool = False,
    ) -> None:
        """`batch`: runs at a time, by default as many as fit the memory. `alone`: each run is what its setting does to
        that picture alone, see Attack; without it, a CPU is quicker. `shipped`: runs that came with the project are
        done, though not here.
        """
        self.ledger = Ledger() if ledger is None else ledger
        self.runs = [
            _run(setting, each, i) for each in subjects for setting in settings for i in range(len(each.images))
        ]
        brought = {run.key: row for run in self.runs if (row := find_shipped(*run.identity))} if shipped else {}
        self.brought = len({*brought} - {*self.ledger.rows})  # runs that were done elsewhere
        self.ledger.rows = brought | self.ledger.rows
        self._batch, self._alone = batch, alone
        missing = (run for run in self.runs if run.key not in self.ledger.rows)
        alike = groupby(sorted(missing, key=_group), key=_group)
        self._chunks = [chunk for _, runs in alike for chunk in self._split(list(runs))]
        self._chunks.reverse()  # the first is the last: it is popped
        self.seconds, self._finished = 0.0, 0  # of work, and runs, by this object

    @property
    def total(self) -> int:
        return len(self.runs)

    @property
    def left(self) -> int:
        """Runs that are still to be done."""
        return sum(map(len, self._chunks))

    @property
    def done(self) -> int:
        return self.total - self.left

    @property
    def next_batch(self) -> int:
        """Runs of the batch that comes next, or is being done."""
        return len(self._chunks[-1]) if self._chunks else 0

    @property
    def seconds_per_run(self) -> float:
        """What a run of this object's took on average; 0 before the first."""
        return self.seconds / self._finished if self._finished else 0.0

    def advance(self, on_step: OnStep | None = None) -> bool:
        """Do the next batch and put it into the ledger; False if nothing was left, or `on_step` asked to stop.

        A batch that was stopped is not kept: its runs are done again when the sweep goes on.
        """
        if not self._chunks:
            return False
        started = time.perf_counter()
        chunk = self._chunks[-1]
        rows = _attack(chunk, on_step, self._alone)
        if rows is None:
            return False
        self.seconds += time.perf_counter() - started
        self._finished += len(rows)
        self.ledger.append(rows)
        self._chunks.pop()
        return True

    def rows(self) -> list[Row]:
        """What is done, in the order of the plan: settings slow, pictures fast."""
        return [self.ledger.rows[run.key] for run in self.runs if run.key in self.ledger.rows]

    def _split(self, runs: list[Run]) -> list[list[Run]]:
        size = self._batch or runs[0].subject.batch
        return [runs[first : first + size] for first in range(0, len(runs), size)]


def _run(setting: Attack, subject: Subject, index: int) -> Run:
    run = Run(setting, subject, index, "")
    return dataclasses.replace(run, key=run_key(*run.identity))


def _group(run: Run) -> tuple[str, str]:
    """What the runs of a batch have in common, as something that can be sorted."""
    return run.subject.network_sha256, repr(shared(run.setting))


def _attack(runs: list[Run], on_step: OnStep | None, alone: bool) -> list[Row] | None:
    """One row per run; None if it was stopped."""
    subject = runs[0].subject
    chosen = torch.tensor([run.index for run in runs], device=subject.images.device)
    setting = runs[0].setting
    attack = dataclasses.replace(setting, **{name: _column(runs, name) for name in setting.per_image})
    started = time.perf_counter()
    result = attack(subject.network, subject.images[chosen], subject.labels[chosen], on_step=on_step, alone=alone)
    if result.stopped:
        return None
    seconds = (time.perf_counter() - started) / len(runs)
    with exclusive(subject.network), exact_arithmetic(subject.images.device), torch.no_grad():
        logits = subject.network(result.adversarial.clone())  # a network may write into what it is given
    columns = measures(result, logits, attack)
    values = zip(*columns.values(), strict=True)
    return [
        {
            "key": run.key,
            "network": subject.name,
            "picture": subject.picture(run.index),
            "attack": type(run.setting).__name__,
            **dataclasses.asdict(run.setting),
            **dict(zip(columns, row, strict=True)),
            "seconds": seconds,
            "batch": len(runs),
            "device": subject.images.device.type,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "picture_sha256": subject.images_sha256[run.index],
            "network_sha256": subject.network_sha256,
        }
        for run, row in zip(runs, values, strict=True)
    ]


def _column(runs: list[Run], name: str) -> Tensor:
    """On the host, as a device may have no double precision: the attack takes what it needs of it."""
    return torch.tensor([getattr(run.setting, name) for run in runs], dtype=torch.float64)
