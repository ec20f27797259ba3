"""CIFAR-10 (Krizhevsky 2009): not bundled, read from a folder or downloaded to it when somebody asks.

The folder is the one that EXPLORER_CIFAR10 names, else one in the user's cache. It holds either torchvision's files, or
folders `train` and `test` with one folder of pictures per class; the latter it may also hold itself, as the test set.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from torchvision.datasets import CIFAR10

from explorer.fetching import FetchFailed, OnBytes, fetch
from explorer.folders import cache_folder, visible
from explorer.images import from_uint8, load_image, picture_files
from explorer.types import Image, Sample

VARIABLE = "EXPLORER_CIFAR10"
CLASS_NAMES = ("Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck")
MEGABYTES = 170  # that are downloaded
PREFIX = "cifar10-"  # of the pictures' names


@dataclass(frozen=True)
class Split:
    """Labelled pictures, numbered from 0; each is read when it is asked for."""

    labels: np.ndarray  # (n,) int
    read: Callable[[int], Image] = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, number: int) -> Sample:
        """The test set's picture of this number. Raises ValueError with one sentence if its file is no picture."""
        label = int(self.labels[number])
        caption = f"{CLASS_NAMES[label]}, picture {number:,} of CIFAR-10's test set"
        return Sample(f"{PREFIX}{number}", self.read(number), label, caption, {"number": number}, "cifar10")

    def find(self, name: str) -> Sample | None:
        """The picture of this name, e.g. "cifar10-42"; None if there is none."""
        digits = name.removeprefix(PREFIX)
        known = name.startswith(PREFIX) and digits.isdecimal() and len(digits) < 10 and int(digits) < len(self)
        return self.sample(int(digits)) if known else None

    def choose(self, n: int, seed: int, label: int | None = None) -> list[int]:
        """Numbers of `n` pictures at random, or of as many as there are, of one class or of all: of these, one of each
        class in turn. The same `seed` chooses the same, and a larger `n` only adds some.
        """
        random = np.random.default_rng(seed)
        classes = range(len(CLASS_NAMES)) if label is None else [label]
        mixed = [random.permutation(np.flatnonzero(self.labels == each)) for each in classes]
        turns = max(map(len, mixed))
        return [int(some[turn]) for turn in range(turns) for some in mixed if turn < len(some)][:n]


def cifar10_folder() -> Path:
    """Where the pictures are looked for, and downloaded to."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return cache_folder() / "sparse-attack-explorer" / "cifar10"


def find_cifar10(folder: Path | None = None, *, train: bool = False) -> Split | None:
    """The test set or the training set in `folder`, by default in cifar10_folder(); None if there is nothing of it.

    Raises ValueError with one sentence if what it holds is damaged, or no folders of CIFAR-10's classes.
    """
    folder = folder or cifar10_folder()
    parts = [folder / CIFAR10.base_folder / name for name, _ in (CIFAR10.train_list if train else CIFAR10.test_list)]
    if any(part.is_file() for part in parts):
        return _official(folder, train) if train else _official_test(folder, parts[0].stat().st_mtime)
    split = folder / ("train" if train else "test")
    classes = split if train or split.is_dir() else folder
    names = [path for path in visible(classes) if path.is_dir()] if classes.is_dir() else []
    if not any(path.name.casefold() in _BY_NAME for path in names):
        return None
    return _folders(classes, classes.stat().st_mtime)


def download_cifar10(on_bytes: OnBytes, stopped: Callable[[], bool], folder: Path | None = None) -> bool:
    """Fetch torchvision's archive into `folder` and unpack it there; whether it was finished before `stopped` said so.

    Raises FetchFailed with one sentence, which says what to do instead.
    """
    folder = folder or cifar10_folder()
    archive = folder / CIFAR10.filename
    try:
        if not fetch(CIFAR10.url, archive, CIFAR10.tgz_md5, on_bytes, stopped):
            return False
        CIFAR10(folder, train=False, download=True)  # finds the archive, checks it again, unpacks it
        archive.unlink()
    except (FetchFailed, RuntimeError, OSError) as error:
        reason = str(error).rstrip(".")
        raise FetchFailed(
            f"{reason}. Put {CIFAR10.filename}, unpacked, into {folder} yourself, or name a folder of pictures per "
            f"class in {VARIABLE}; the photographs and the road signs need no download."
        ) from error
    return True


_BY_NAME = {name.casefold(): label for label, name in enumerate(CLASS_NAMES)}


@lru_cache(maxsize=1)
def _official_test(folder: Path, _changed: float) -> Split:
    return _official(folder, train=False)


def _official(folder: Path, train: bool) -> Split:
    try:
        with warnings.catch_warnings(action="ignore"):  # of NumPy: the files are older than its rules
            found = CIFAR10(folder, train=train)  # unpickles only what has the official files' MD5
    except RuntimeError as error:
        raise ValueError(f"CIFAR-10 in {folder} is damaged or incomplete: remove it and download it again.") from error
    return Split(np.array(found.targets), lambda number: from_uint8(found.data[number]))


@lru_cache(maxsize=4)
def _folders(folder: Path, _changed: float) -> Split:
    files: list[tuple[Path, int]] = []
    for each in (path for path in visible(folder) if path.is_dir()):
        if each.name.casefold() not in _BY_NAME:
            raise ValueError(f"{each} is no class of CIFAR-10: folders named {', '.join(_BY_NAME)} are expected.")
        files += [(path, _BY_NAME[each.name.casefold()]) for path in picture_files(each)]
    if not files:
        raise ValueError(f"The folders of {folder} hold no pictures: PNG, JPEG, WebP or BMP files are expected.")

    def read(number: int) -> Image:
        try:
            return load_image(files[number][0])
        except ValueError as error:
            raise ValueError(f"{files[number][0]}: {error}") from error

    return Split(np.array([label for _, label in files]), read)
