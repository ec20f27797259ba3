"""Rendered road signs, numbered by the seeds of their scenes."""

import multiprocessing
from functools import partial

import numpy as np
import torch
from tqdm import tqdm

from explorer.signs import CLASS_NAMES, Scene, render
from explorer.training.pictures import Pictures

SIZE = 64  # pixels
TRAINING_SEEDS = 1_000_000  # scenes for training are numbered from here,
UNSEEN_SEEDS = 1_000_000_000  # scenes for evaluation from here
_WORTH_PROCESSES = 2000  # renders from which it pays to start other processes


class Renders(Pictures):
    """Signs, the classes in turn."""

    @classmethod
    def draw(cls, first_seed: int, n: int) -> "Renders":
        """N pictures, each in the scene of its own seed."""
        seeds = range(first_seed, first_seed + n)
        bar = partial(tqdm, desc="render", total=n, mininterval=2, disable=n < _WORTH_PROCESSES)
        if n < _WORTH_PROCESSES:
            images = [_draw(seed) for seed in bar(seeds)]
        else:
            with multiprocessing.get_context("spawn").Pool() as pool:
                images = list(bar(pool.imap(_draw, seeds, chunksize=64)))
        pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
        return cls(pictures, torch.tensor([_class_of(seed) for seed in seeds]))


def _class_of(seed: int) -> int:
    return seed % len(CLASS_NAMES)


def _draw(seed: int) -> np.ndarray:
    return render(_class_of(seed), Scene.sample(seed), SIZE)
