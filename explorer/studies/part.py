"""The parts that a study is done in: runs that go through their network together."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

import torch
from torch import Tensor

from explorer.studies.plan import Setting, shared
from explorer.studies.subject import Subject
from explorer.types import Images, Labels


@dataclass(frozen=True)
class Run:
    """One setting on one picture of one subject."""

    setting: Setting
    subject: Subject
    index: int  # of the picture
    key: str = field(compare=False)

    @property
    def named(self) -> dict[str, str]:
        """What its network, its defence and its picture are called."""
        subject = self.subject
        return {"network": subject.name, "defence": subject.defended_by, "picture": subject.picture(self.index)}


@dataclass(frozen=True, eq=False)
class Part:
    """Runs on one subject whose settings differ only in what may differ from image to image."""

    runs: tuple[Run, ...]

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def subject(self) -> Subject:
        return self.runs[0].subject

    @property
    def images(self) -> Images:
        """Of each run."""
        return self.subject.images[self._chosen]

    @property
    def labels(self) -> Labels:
        return self.subject.labels[self._chosen]

    @property
    def attack(self) -> Setting:
        """The settings of all runs as one."""
        setting = self.runs[0].setting
        return dataclasses.replace(setting, **{name: self._column(name) for name in setting.per_image})

    @property
    def _chosen(self) -> Tensor:
        return torch.tensor([run.index for run in self.runs], device=self.subject.images.device)

    def _column(self, name: str) -> Tensor:
        """On the host, as a device may have no double precision: the attack takes what it needs of it."""
        return torch.tensor([getattr(run.setting, name) for run in self.runs], dtype=torch.float64)


def parts_of(runs: Iterable[Run], batch: int | None, mixed: bool) -> list[Part]:
    """The runs, each once, in parts of `batch`, by default as many as fit the memory. Networks and attacks take turns,
    part by part: a machine that slows down slows all of them, and what a study has done when it is stopped is of all.
    """
    groups: dict[tuple[str, str], dict[str, Run]] = {}
    for run in runs:
        alike = repr(shared(run.setting) if mixed else run.setting)
        groups.setdefault((run.subject.network_sha256, alike), {})[run.key] = run
    cut = [_cut([*group.values()], batch) for group in groups.values()]
    return [part for turn in zip_longest(*cut) for part in turn if part is not None]


def _cut(runs: list[Run], batch: int | None) -> list[Part]:
    size = batch or runs[0].subject.batch
    return [Part(tuple(runs[first : first + size])) for first in range(0, len(runs), size)]
