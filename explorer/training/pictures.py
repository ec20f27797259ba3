"""Labelled pictures to learn from, or to be measured on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.samples import DATA_SETS
from explorer.types import Images


@dataclass(frozen=True)
class Pictures:
    """Pictures and their classes: images (n, 3, h, w) uint8, labels (n,) int64."""

    images: Tensor
    labels: Tensor

    @classmethod
    def of(cls, dataset: str, **choice: Any) -> "Pictures":
        """Those of the data set of this name: see DataSet.labelled."""
        return cls(*DATA_SETS[dataset].labelled(**choice))

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: str | torch.device) -> "Pictures":
        return Pictures(self.images.to(device), self.labels.to(device))

    def first(self, n: int) -> "Pictures":
        return Pictures(self.images[:n], self.labels[:n])

    def batches(
        self, size: int, generator: torch.Generator | None = None, augment: bool = False
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Images in [0, 1] and labels; shuffled by `generator`, where what is over at the end is left out.

        With `augment` each picture is shifted and mirrored at random as well.
        """
        for _, images, labels in self.numbered(size, generator, augment):
            yield images, labels

    def numbered(
        self, size: int, generator: torch.Generator | None = None, augment: bool = False
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The same, the pictures' numbers (b,) before them."""
        n = len(self)
        order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
        last = n if generator is None else max(size, n - n % size)
        for start in range(0, last, size):
            chosen = order[start : start + size].to(self.labels.device)
            images = self.images[chosen].to(memory_format=torch.channels_last).float() / 255
            yield chosen, shift_and_mirror(images, generator) if augment else images, self.labels[chosen]


def shift_and_mirror(images: Images, generator: torch.Generator, by: int = 4) -> Images:
    """Each picture moved by up to `by` pixels either way, its border reflected; every other one mirrored."""
    b, _, h, w = images.shape
    down, right = torch.randint(0, 2 * by + 1, (2, b, 1, 1), generator=generator)
    mirrored = torch.rand((b, 1, 1), generator=generator) < 0.5
    cols = torch.arange(w).expand(b, 1, w)
    cols = torch.where(mirrored, cols.flip(-1), cols) + right
    rows = torch.arange(h).view(1, h, 1) + down
    each = torch.arange(b).view(b, 1, 1)
    padded = F.pad(images, [by] * 4, mode="reflect").permute(0, 2, 3, 1)
    return padded[each.to(images.device), rows.to(images.device), cols.to(images.device)].permute(0, 3, 1, 2)
