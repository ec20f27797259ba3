"""CIFAR-10 (Krizhevsky 2009) as tensors: 50,000 pictures to learn from and 10,000 to be measured on, 32 x 32."""

import random
from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import CIFAR10
from tqdm import tqdm

from explorer.fetching import FetchFailed
from explorer.images import to_uint8
from explorer.samples.cifar10 import CLASS_NAMES, cifar10_folder, download_cifar10, find_cifar10
from explorer.training.pictures import Pictures

SIZE = 32  # pixels


def read_cifar10(folder: Path | None = None, *, train: bool, download: bool = False) -> Pictures:
    """The training or the test pictures, in an order that is mixed and always the same.

    `folder` is read as samples.find_cifar10 does; with `download` the official files are fetched if they are missing.
    Raises ValueError with one sentence if the pictures are not there, or not as they should be.
    """
    folder = folder or cifar10_folder()
    if download and not (folder / CIFAR10.base_folder).is_dir():
        _download(folder)
    found = find_cifar10(folder, train=train)
    if found is None:
        raise ValueError(
            f"CIFAR-10 is not in {folder}: train/ and test/ with a folder of pictures per class are expected, or "
            f"torchvision's {CIFAR10.base_folder}, which --download fetches."
        )
    missing = [name for label, name in enumerate(CLASS_NAMES) if label not in found.labels]
    if missing:
        raise ValueError(f"{folder} has no pictures of {', '.join(missing)}.")
    order = list(range(len(found)))
    random.Random(0).shuffle(order)
    images = np.empty((len(order), SIZE, SIZE, 3), np.uint8)
    for i, number in enumerate(order):
        picture = to_uint8(found.read(number))
        if picture.shape != images.shape[1:]:
            h, w, _ = picture.shape
            raise ValueError(f"A picture in {folder} has {w} × {h} pixels; CIFAR-10's have {SIZE} × {SIZE}.")
        images[i] = picture
    return Pictures(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.tensor(found.labels[order]))


def _download(folder: Path) -> None:
    with tqdm(desc="download", unit="B", unit_scale=True, mininterval=1) as bar:

        def on_bytes(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        try:
            download_cifar10(on_bytes, lambda: False, folder)
        except FetchFailed as error:
            raise ValueError(str(error)) from error
