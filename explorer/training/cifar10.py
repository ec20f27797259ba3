"""CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 pictures of 32 x 32 pixels, read from a folder."""

import random
import warnings
from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import CIFAR10
from tqdm import tqdm

from explorer.fetching import FetchFailed
from explorer.images import load_image, to_uint8
from explorer.samples.cifar10 import CLASS_NAMES, cifar10_folder, download_cifar10
from explorer.training.pictures import Pictures

SIZE = 32  # pixels


def read_cifar10(folder: Path | None = None, *, train: bool, download: bool = False) -> Pictures:
    """The training or the test pictures, in an order that is mixed and always the same.

    `folder` (by default samples.cifar10_folder()) holds torchvision's cifar-10-batches-py, or train/CLASS/*.png and
    test/CLASS/*.png; with `download` the former is fetched if it is missing. torchvision unpickles it, after it has
    compared its MD5 with that of the official files. Raises ValueError with one sentence if the pictures are not there.
    """
    folder = folder or cifar10_folder()
    official, split = folder / CIFAR10.base_folder, folder / ("train" if train else "test")
    if download and not official.is_dir():
        _download(folder)
    if not official.is_dir():
        if split.is_dir():
            return _from_folders(split)
        raise ValueError(
            f"CIFAR-10 is not in {folder}: train/ and test/ with a folder of PNG pictures per class are expected, or "
            f"torchvision's {CIFAR10.base_folder}, which --download fetches."
        )
    try:
        with warnings.catch_warnings(action="ignore"):  # of NumPy: the files are older than its rules
            pictures = CIFAR10(folder, train=train)
    except RuntimeError as error:
        raise ValueError(f"{official} is damaged or incomplete: remove it and download it again.") from error
    return Pictures(torch.from_numpy(pictures.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(pictures.targets))


def _download(folder: Path) -> None:
    with tqdm(desc="download", unit="B", unit_scale=True, mininterval=1) as bar:

        def on_bytes(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        try:
            download_cifar10(on_bytes, lambda: False, folder)
        except FetchFailed as error:
            raise ValueError(str(error)) from error


def _from_folders(split: Path) -> Pictures:
    """The PNG files of one folder per class."""
    files = []
    for label, name in enumerate(CLASS_NAMES):
        found = sorted((split / name.lower()).glob("*.png"))
        if not found:
            raise ValueError(f"There are no PNG pictures in {split / name.lower()}.")
        files += [(path, label) for path in found]
    random.Random(0).shuffle(files)
    images = np.empty((len(files), SIZE, SIZE, 3), np.uint8)
    for i, (path, _) in enumerate(files):
        picture = to_uint8(load_image(path))
        if picture.shape != images.shape[1:]:
            h, w, _ = picture.shape
            raise ValueError(f"{path} has {w} × {h} pixels; CIFAR-10's pictures have {SIZE} × {SIZE}.")
        images[i] = picture
    return Pictures(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.tensor([k for _, k in files]))
