"""A sparse change as text: where it changes a picture, to which colours, and of which kind each pixel is.

One pixel is `row,col#rrggbb`, pixels are apart by a space, top to bottom and left to right: `12,30#ff00a1 13,2#00ff00`.
Their kinds are one letter each, in the same order: O obscuring, L leading, small where the label is weak.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.grid import changed_pixels, from_levels, levels, to_grid
from explorer.types import Evidence, Image, Kind

_PIXEL = re.compile(r"(\d{1,6}),(\d{1,6})#([0-9a-f]{6})")


@dataclass(frozen=True)
class Change:
    """One changed pixel, with its kind where it is known."""

    letters: ClassVar[dict[str, Kind]] = {"O": "obscuring", "L": "leading"}

    row: int  # from the top, 0-based
    col: int  # from the left, 0-based
    rgb: tuple[int, int, int]  # the new colour, 0..255
    kind: Kind | None = None
    weak: bool = False


def changes_of(image: Image, adversarial: Image) -> list[Change]:
    """The pixels that differ between two pictures (3, h, w), in order."""
    where = changed_pixels(image, adversarial).nonzero()
    colours = levels(adversarial)[:, where[:, 0], where[:, 1]].T
    return [Change(row, col, tuple(rgb)) for (row, col), rgb in zip(where.tolist(), colours.tolist(), strict=True)]


def write_changes(changes: Sequence[Change]) -> str:
    """As text; "" for none."""
    return " ".join(f"{each.row},{each.col}#{bytes(each.rgb).hex()}" for each in changes)


def read_changes(text: str, kinds: str = "") -> list[Change]:
    """From text, with their kinds where there are any. Raises ValueError with one sentence if it is no such text."""
    parts = text.split()
    if kinds and len(kinds) != len(parts):
        raise ValueError(f"{len(parts)} changed pixels have as many kinds; got {len(kinds)}.")
    found = []
    for part, letter in zip(parts, kinds or " " * len(parts), strict=True):
        pixel = _PIXEL.fullmatch(part)
        if pixel is None or letter.upper() not in (" ", *Change.letters):
            raise ValueError(
                f"A changed pixel is written like 12,30#ff00a1, its kind O or L; got {part!r}, {letter!r}."
            )
        rgb = tuple(bytes.fromhex(pixel[3]))
        found.append(Change(int(pixel[1]), int(pixel[2]), rgb, Change.letters.get(letter.upper()), letter.islower()))
    return found


def apply_changes(image: Image, text: str) -> Image:
    """The attacked picture again, on the 8-bit grid. Raises ValueError with one sentence if a pixel lies outside."""
    adversarial, (height, width) = to_grid(image), image.shape[1:]
    for each in read_changes(text):
        if each.row >= height or each.col >= width:
            raise ValueError(f"The picture has {height} × {width} pixels; got row {each.row}, column {each.col}.")
        adversarial[:, each.row, each.col] = from_levels(torch.tensor(each.rgb), image.dtype).to(image.device)
    return adversarial


def write_kinds(evidence: Evidence) -> str:
    """The kinds of the labelled pixels, in the order of their places."""
    pixels = sorted(evidence.pixels, key=lambda pixel: (pixel.row, pixel.col))
    letters = {kind: letter for letter, kind in Change.letters.items()}
    return "".join(letters[pixel.kind].lower() if pixel.weak else letters[pixel.kind] for pixel in pixels)
