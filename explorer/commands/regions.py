"""The region that a command's attack is kept to."""

import argparse
from pathlib import Path

from explorer.classifiers import Classifier
from explorer.regions import Region
from explorer.samples import object_of
from explorer.types import Sample

BOX = "box:"
SIGNS = ("sign", "not-sign")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where pixels may change."""
    parser.add_argument(
        "--region",
        metavar="WHERE",
        help="where pixels may change: a mask as a picture file (white may, black may not; of the picture's size or of "
        "what the network sees), sign or not-sign for a rendered sign, or box:ROW,COL,HEIGHT,WIDTH in the pixels that "
        "the network sees, from 0 (default: everywhere)",
    )


def chosen_region(where: str | None, sample: Sample, clf: Classifier) -> Region | None:
    """The region that `where` names for this picture, which is not fitted yet; None: everywhere. Raises ValueError with
    one sentence if there is no such region, or nothing in it.
    """
    size = tuple(clf.input_size)
    if where is None:
        return None
    if where.startswith(BOX):
        return Region.box(size, *_numbers(where))
    if where in SIGNS:
        sign = object_of(sample, size)
        if sign is None:
            raise ValueError(f"--region {where} needs a rendered sign, by its name, such as stop-1; got {sample.name}.")
        return sign if where == "sign" else sign.inverse
    path = Path(where)
    if not path.is_file():
        raise ValueError(f"--region is a mask's file, sign, not-sign or box:ROW,COL,HEIGHT,WIDTH; got {where!r}.")
    return Region.from_file(path.read_bytes(), size, tuple(sample.image.shape[1:]))


def _numbers(where: str) -> list[int]:
    try:
        numbers = [int(number) for number in where.removeprefix(BOX).split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise ValueError(f"A box is box:ROW,COL,HEIGHT,WIDTH, four whole numbers; got {where!r}.")
    return numbers
