"""CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 pictures of 32 x 32 pixels, read from a folder."""

import random
from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import CIFAR10

from explorer.images import load_image, to_uint8
from explorer.training.pictures import Pictures

CLASS_NAMES = ["Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck"]
SIZE = 32  # pixels
FOLDER = Path("data/cifar10")  # where it is looked for, unless told otherwise


def read_cifar10(folder: Path = FOLDER, *, train: bool, download: bool = False) -> Pictures:
    """The training or the test pictures, in an order that is mixed and always the same.

    `folder` holds torchvision's cifar-10-batches-py, or train/CLASS/*.png and test/CLASS/*.png; with `download`
    torchvision fetches the former (163 MB) where it is missing. torchvision unpickles them, after it has compared their
    MD5 with those of the official files. Raises ValueError with one sentence if the pictures are not there.
    """
    split = folder / ("train" if train else "test")
    if split.is_dir() and not download:
        return _from_folders(split)
    if not download and not (folder / CIFAR10.base_folder).is_dir():
        raise ValueError(
            f"CIFAR-10 is not in {folder}: train/ and test/ with a folder of PNG pictures per class are expected, or "
            f"torchvision's {CIFAR10.base_folder}, which --download fetches."
        )
    try:
        pictures = CIFAR10(folder, train=train, download=download)
    except (RuntimeError, OSError) as error:  # incomplete or not the official files; no network (URLError)
        raise ValueError(f"CIFAR-10 cannot be had from torchvision in {folder}: {error}") from error
    return Pictures(torch.from_numpy(pictures.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(pictures.targets))


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
