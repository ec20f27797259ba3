"""Numbers and changed pixels as short text, for files of lines."""

import base64
import zlib
from collections.abc import Iterable

import numpy as np
import torch

from explorer.grid import changed_pixels, from_levels, levels, to_grid
from explorer.types import Image

DIGITS = 6


def pack_changes(image: Image, adversarial: Image) -> str:
    """The pixels that differ on the 8-bit grid: their places and new colours."""
    where = changed_pixels(image, adversarial).flatten().nonzero()[:, 0]
    return squeezed(where.int(), levels(adversarial).flatten(1).T[where.to(adversarial.device)].contiguous())


def unpack_changes(image: Image, packed: str) -> Image:
    """The adversarial picture again, on the 8-bit grid and on the CPU."""
    where, colours = columns_of(packed)
    adversarial = to_grid(image.cpu()).clone()
    adversarial.flatten(1)[:, where.long()] = from_levels(colours.T, image.dtype)
    return adversarial


def columns_of(packed: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Places (n,) and colours (n, 3) of changed pixels."""
    where, colours = spread(packed, "<i4", ("u1", 3))
    return where, colours.view(-1, 3)


def squeezed(*columns: torch.Tensor) -> str:
    """Columns of numbers as text."""
    content = b"".join(column.cpu().numpy().tobytes() for column in columns)
    return base64.b64encode(zlib.compress(content, 9)).decode()


def spread(text: str, *kinds: str | tuple[str, int]) -> list[torch.Tensor]:
    """The columns, all of one length, whose types and widths are `kinds`."""
    content = zlib.decompress(base64.b64decode(text))
    widths = [np.dtype(kind).itemsize for kind in kinds]
    n, columns, start = len(content) // sum(widths), [], 0
    for kind, width in zip(kinds, widths, strict=True):
        base = kind if isinstance(kind, str) else kind[0]
        columns.append(torch.from_numpy(np.frombuffer(content[start : start + n * width], base).copy()))
        start += n * width
    return columns


def rounded(value: float) -> float:
    """In six digits."""
    return float(f"{value:.{DIGITS}g}")


def all_rounded(values: Iterable[float]) -> list[float | None]:
    """In six digits, as JSON can say them: what is not a number is None."""
    return [rounded(float(value)) if float(value) == float(value) else None for value in values]
