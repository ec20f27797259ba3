"""A data set: what its classes are called, how its pictures are seen by networks, and where they come from.

Adding one is a file with a DataSet in it, and an entry in explorer.samples.DATA_SETS: pages, commands and training ask
the entry. What a data set lacks stays as it is here: one that only gives its name, its classes and a `split` is
complete.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from explorer.fetching import FetchFailed, OnBytes
from explorer.images import to_uint8
from explorer.regions import Region, Size
from explorer.samples.source import Listed, Source
from explorer.samples.split import Split
from explorer.types import Image, Sample

CUSTOM = "custom"  # classes of one's own: of no data set
CLEAREST = 80  # pictures of a split that are looked at: those that a network mistakes are left out


class DataSet:
    """An entry of DATA_SETS."""

    name: ClassVar[str]  # its key: in files, links, and names of its pictures
    title: ClassVar[str]  # in a sentence
    label: ClassVar[str]  # on a control
    input_size: ClassVar[Size]  # (height, width) that networks for it usually see
    mean: ClassVar[tuple[float, ...]]  # that its pictures are usually normalised by, per channel, in [0, 1] units
    std: ClassVar[tuple[float, ...]]
    usual: ClassVar[tuple[tuple[float, ...], tuple[float, ...]] | None] = None
    """Mean and standard deviation by which networks from elsewhere expect them normalised; None: as above."""
    link: ClassVar[str] = ""  # what the names of its controls begin with in a page's link; "": its name
    aliases: ClassVar[Mapping[str, str]] = {}  # other names of classes, as letters and digits alone
    eps: ClassVar[float] = 8 / 255  # L-infinity radius of robust training and its measurement
    n_unseen: ClassVar[int | None] = None  # pictures that networks are measured on; None: all
    learned: ClassVar[str] = ""  # what networks were trained on, for the manifest; "": its title
    bundled: ClassVar[bool] = False  # its pictures come with the project, and its bundled networks recognise them all
    rendered: ClassVar[bool] = False  # there are as many pictures to learn from as one likes
    megabytes: ClassVar[int] = 0  # of a download; 0: there is none
    variable: ClassVar[str] = ""  # of the environment, which names another folder

    @property
    def classes(self) -> Sequence[str]:
        """Their names, in order."""
        raise NotImplementedError

    @property
    def whole(self) -> str:
        """What the pictures of `split` are called in a sentence."""
        return f"{self.title}'s test set"

    @property
    def counted(self) -> str:
        """Its classes, on a control."""
        return f"{self.title}'s {len(self.classes):,}"

    @property
    def called(self) -> str:
        """What its pictures are called, in a sentence; "" where it has none."""
        return f"{self.whole}, where it is there, is {self.name}-0, {self.name}-1, …" if self.sources else ""

    def gallery(self) -> tuple[Sample, ...]:
        """Pictures that are shown all at once: few, and always here."""
        return ()

    def split(self, folder: Path | None = None, *, train: bool = False) -> Split | None:
        """The test set or the training set in `folder`, by default where it usually is; None if it is not there.

        Raises ValueError with one sentence if it is damaged.
        """
        return None

    def folder(self) -> Path | None:
        """Where its pictures are looked for, and downloaded to, if they are files."""
        return None

    def download(self, on_bytes: OnBytes, stopped: Callable[[], bool], folder: Path | None = None) -> bool:
        """Fetch its pictures into `folder`; whether that was finished before `stopped` said so. Raises FetchFailed."""
        raise NotImplementedError

    def now(self) -> str:
        """What its pictures are at the moment: another text, other pictures. "": they are always the same."""
        return ""

    def here(self) -> bool:
        """Whether there are labelled pictures of it on this computer."""
        try:
            return bool(self.gallery()) or self.split() is not None
        except ValueError:
            return False

    def owns(self, name: str) -> bool:
        """Whether this is what a picture of its is called, and they are here."""
        return name.startswith(f"{self.name}-") and self.here()

    def find(self, name: str) -> Sample | None:
        """Its picture of this name; None if there is none."""
        found = self.split() if name.startswith(f"{self.name}-") else None
        return found.find(name) if found is not None else None

    def clearest(self) -> list[Sample]:
        """Pictures to try settings on, one of each class first. Raises ValueError if they are not here."""
        found = self.split()
        if found is None:
            raise ValueError(f"{self.title}'s pictures are not here any more.")
        return [found.sample(number) for number in found.choose(CLEAREST, seed=0)]

    def first_look(self, n: int) -> list[tuple[Image, int]]:
        """`n` labelled pictures to try a network on, the classes in turn; none where they are not here, or damaged."""
        try:
            found = self.split()
            samples = [found.sample(number) for number in found.choose(n, seed=0)] if found else []
        except ValueError:
            return []
        return [(sample.image, sample.label) for sample in samples]

    def has_object(self, sample: Sample) -> bool:
        """Whether it is known which pixels of this picture show its object."""
        return False

    def object_of(self, sample: Sample, size: Size) -> Region:
        """These pixels, in a picture of this size."""
        raise NotImplementedError

    @property
    def sources(self) -> dict[str, Source]:
        """Pictures of it by the names that commands take; none where it has no pictures."""
        if type(self).split is DataSet.split:
            return {}
        text = f"{self.whole}, see --data" if self.variable else self.whole
        return {self.name: Source(self.name, self.whole, text, self.listed, self.title)}

    def listed(self, n: int, seed: int, folder: Path | None) -> list[Listed]:
        """The first pictures of its split, one of each class in turn. Raises ValueError if they are not here."""
        found = self.split(folder)
        if found is None:
            raise ValueError(self.missing(folder))
        return [found.listed(number) for number in found.choose(n, seed)]

    def missing(self, folder: Path | None) -> str:
        """That its pictures are not there, in one sentence."""
        where = folder or self.folder()
        return f"{self.title} is not {f'in {where}' if where else 'on this computer'}."

    def labelled(
        self, *, train: bool, n: int | None = None, folder: Path | None = None, download: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Pictures to learn from, or to be measured on: (n, 3, h, w) uint8, and their classes; mixed, and always in the
        same order. With `download` they are fetched if they are missing.

        Raises ValueError with one sentence if they are not there, or not as they should be.
        """
        if download and self.megabytes and self.split(folder, train=train) is None:
            self._fetch(folder)
        found = self.split(folder, train=train)
        where = folder or self.folder() or self.title
        if found is None:
            raise ValueError(self.missing(folder))
        missing = [name for label, name in enumerate(self.classes) if label not in found.labels]
        if missing:
            raise ValueError(f"{where} has no pictures of {', '.join(missing)}.")
        order = list(range(len(found)))
        random.Random(0).shuffle(order)
        order = order[:n]
        images = np.empty((len(order), *self.input_size, 3), np.uint8)
        for i, number in enumerate(order):
            picture = to_uint8(found.read(number))
            if picture.shape != images.shape[1:]:
                (h, w), (height, width) = picture.shape[:2], self.input_size
                raise ValueError(f"A picture in {where} has {w} × {h} pixels; {self.title}'s have {width} × {height}.")
            images[i] = picture
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.tensor(found.labels[order])

    def _fetch(self, folder: Path | None) -> None:
        with tqdm(desc="download", unit="B", unit_scale=True, mininterval=1) as bar:

            def on_bytes(done: int, total: int) -> None:
                bar.total = total or None
                bar.update(done - bar.n)

            try:
                self.download(on_bytes, lambda: False, folder)
            except FetchFailed as error:
                raise ValueError(str(error)) from error
