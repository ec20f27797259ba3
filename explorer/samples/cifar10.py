"""CIFAR-10 (Krizhevsky 2009): not bundled, read from a folder or downloaded to it when somebody asks.

The folder is the one that EXPLORER_CIFAR10 names, else one in the user's cache. It holds either torchvision's files, or
folders `train` and `test` with one folder of pictures per class; the latter it may also hold itself, as the test set.
"""

import os
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from torchvision.datasets import CIFAR10

from explorer.fetching import FetchFailed, OnBytes, fetch
from explorer.folders import cache_folder, visible
from explorer.hashes import stamp
from explorer.images import from_uint8, load_image, picture_files
from explorer.samples.data_set import DataSet
from explorer.samples.split import Split
from explorer.types import Image

VARIABLE = "EXPLORER_CIFAR10"
CLASS_NAMES = ("Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck")


class Cifar10(DataSet):
    """See DataSet."""

    name = "cifar10"
    title = label = "CIFAR-10"
    input_size = (32, 32)
    mean = (0.494, 0.483, 0.448)
    std = (0.249, 0.246, 0.262)
    usual = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
    link = "cifar"
    aliases: ClassVar = {"plane": "airplane", "car": "automobile"}  # as in PyTorch's tutorial
    n_unseen = 10_000
    learned = "CIFAR-10 (Krizhevsky 2009)"
    megabytes = 170
    variable = VARIABLE
    classes = CLASS_NAMES

    @property
    def called(self) -> str:
        """See DataSet."""
        return f"CIFAR-10's test set, where it is there, is {self.name}-0 to {self.name}-9999"

    def split(self, folder: Path | None = None, *, train: bool = False) -> Split | None:
        """See DataSet."""
        return find_cifar10(folder, train=train)

    def folder(self) -> Path:
        """See DataSet."""
        return cifar10_folder()

    def download(self, on_bytes: OnBytes, stopped: Callable[[], bool], folder: Path | None = None) -> bool:
        """See DataSet."""
        return download_cifar10(on_bytes, stopped, folder)

    def now(self) -> str:
        """The folder, and when what lies in it was put there."""
        folder = cifar10_folder()
        parts = (folder, folder / "test", folder / CIFAR10.base_folder / CIFAR10.test_list[0][0])
        return f"{folder} {[stamp(each) for each in parts]}"

    def missing(self, folder: Path | None) -> str:
        """See DataSet."""
        return (
            f"CIFAR-10 is not in {folder or cifar10_folder()}: name torchvision's folder, or one with a folder of "
            "pictures per class, in `train` and `test` to learn from, by --data; the page downloads it on a click, and "
            "`train` with --download."
        )


def cifar10_folder() -> Path:
    """Where the pictures are looked for, and downloaded to."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return cache_folder() / "sparse-attack-explorer" / Cifar10.name


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
    return Split(Cifar10(), np.array(found.targets), lambda number: from_uint8(found.data[number]))


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

    return Split(Cifar10(), np.array([label for _, label in files]), read)
