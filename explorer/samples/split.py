"""Labelled pictures of a data set, by their numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.samples.source import Listed
from explorer.types import Image, Sample

if TYPE_CHECKING:
    from explorer.samples.data_set import DataSet


@dataclass(frozen=True)
class Split:
    """Labelled pictures of a data set, numbered from 0; each is read when it is asked for."""

    of: "DataSet" = field(repr=False)
    labels: np.ndarray  # (n,) int
    read: Callable[[int], Image] = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, number: int) -> Sample:
        """The test set's picture of this number. Raises ValueError with one sentence if its file is no picture."""
        label = int(self.labels[number])
        caption = f"{self.of.classes[label]}, picture {number:,} of {self.of.whole}"
        return Sample(f"{self.of.name}-{number}", self.read(number), label, caption, {"number": number}, self.of.name)

    def listed(self, number: int) -> Listed:
        """The same before it is read."""
        return Listed(
            f"{self.of.name}-{number}", lambda: self.read(number), int(self.labels[number]), dataset=self.of.name
        )

    def find(self, name: str) -> Sample | None:
        """The picture of this name, e.g. "cifar10-42"; None if there is none."""
        digits = name.removeprefix(prefix := f"{self.of.name}-")
        known = name.startswith(prefix) and digits.isdecimal() and len(digits) < 10 and int(digits) < len(self)
        return self.sample(int(digits)) if known else None

    def choose(self, n: int, seed: int, label: int | None = None) -> list[int]:
        """Numbers of `n` pictures at random, or of as many as there are, of one class or of all: of these, one of each
        class in turn. The same `seed` chooses the same, and a larger `n` only adds some.
        """
        drawn = np.random.default_rng(seed)
        classes = range(len(self.of.classes)) if label is None else [label]
        mixed = [drawn.permutation(np.flatnonzero(self.labels == each)) for each in classes]
        turns = max(map(len, mixed))
        return [int(some[turn]) for turn in range(turns) for some in mixed if turn < len(some)][:n]
