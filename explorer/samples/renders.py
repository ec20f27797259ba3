"""Rendered road signs, as many as one likes, numbered by the seeds of their scenes.

A new sign is rendered from the number in its name, so a link can hold it.
"""

import multiprocessing
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from explorer.images import from_uint8
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.types import Image, Sample

NAME = "signs"  # of the data set
PREFIX = "sign-"  # of the names of new signs
MOST = 100_000  # of them
SIDE = 64  # pixels
TRAINING_SEEDS = 1_000_000  # scenes for training are numbered from here,
UNSEEN_SEEDS = 1_000_000_000  # for evaluation from here,
LOOK_SEEDS = 1_700_000_000  # for the first look at somebody's network from here,
FIRST_SEED = 1_800_000_000  # and new signs from here
_WORTH_PROCESSES = 2000  # renders from which it pays to start other processes


def new_sign(number: int) -> Sample:
    """The sign of this number, from 1 to MOST; the classes come in turn. Treat its picture as read-only."""
    if not 1 <= number <= MOST:
        raise ValueError(f"New signs are numbered from 1 to {MOST:,}; got {number}.")
    return _rendered(number)


def find_new_sign(name: str) -> Sample | None:
    """The sign of this name, such as "sign-7"; None if there is none."""
    digits = name.removeprefix(PREFIX)
    known = name.startswith(PREFIX) and digits.isascii() and digits.isdecimal() and digits[0] != "0"
    return new_sign(int(digits)) if known and len(digits) < 7 and int(digits) <= MOST else None


def draw(first_seed: int, n: int) -> tuple[Tensor, Tensor]:
    """N pictures (n, 3, SIDE, SIDE) uint8, each in the scene of its own seed, and their classes, which come in turn."""
    seeds = range(first_seed, first_seed + n)
    bar = partial(tqdm, desc="render", total=n, mininterval=2, disable=n < _WORTH_PROCESSES)
    if n < _WORTH_PROCESSES:
        images = [_drawn(seed) for seed in bar(seeds)]
    else:
        with multiprocessing.get_context("spawn").Pool() as pool:
            images = list(bar(pool.imap(_drawn, seeds, chunksize=64)))
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return pictures, torch.tensor([class_of(seed) for seed in seeds])


def drawn(seed: int) -> Image:
    """The picture of one seed."""
    return from_uint8(_drawn(seed))


def class_of(seed: int) -> int:
    """What the sign of this seed is."""
    return seed % len(CLASS_NAMES)


def _drawn(seed: int) -> np.ndarray:
    return render(class_of(seed), Scene.sample(seed), SIDE)


@lru_cache(maxsize=512)
def _rendered(number: int) -> Sample:
    label, seed = (number - 1) % len(CLASS_NAMES), FIRST_SEED + number
    image = from_uint8(render(label, Scene.sample(seed), SIDE))
    caption = f"{CLASS_NAMES[label]} sign, new sign {number:,}"
    return Sample(f"{PREFIX}{number}", image, label, caption, {"seed": seed}, NAME)
