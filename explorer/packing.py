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
    """The adversarial picture again, on the 8-bit grid and on the CPU. Raises ValueError with one sentence if `packed`
    is not what pack_changes makes of such a picture.
    """
    where, colours = columns_of(packed, most=image[0].numel())
    if len(where) and not 0 <= int(where.min()) <= int(where.max()) < image[0].numel():
        raise ValueError("Changed pixels that lie in the picture are expected.")
    adversarial = to_grid(image.cpu()).clone()
    adversarial.flatten(1)[:, where.long()] = from_levels(colours.T, image.dtype)
    return adversarial


def columns_of(packed: str, most: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Places (n,) and colours (n, 3) of changed pixels, of `most` at most."""
    where, colours = spread(packed, "<i4", ("u1", 3), most=most)
    return where, colours.view(-1, 3)


def squeezed(*columns: torch.Tensor) -> str:
    """Columns of numbers as text."""
    content = b"".join(column.cpu().numpy().tobytes() for column in columns)
    return base64.b64encode(zlib.compress(content, 9)).decode()


def spread(text: str, *kinds: str | tuple[str, int], most: int | None = None) -> list[torch.Tensor]:
    """The columns, all of one length, whose types and widths are `kinds`; no more than `most` rows are unpacked. Raises
    ValueError with one sentence if that is not what `text` holds.
    """
    widths = [np.dtype(kind).itemsize for kind in kinds]
    try:
        content = zlib.decompressobj().decompress(base64.b64decode(text), 0 if most is None else most * sum(widths))
    except (ValueError, zlib.error) as error:
        raise ValueError("Numbers that this program has packed are expected.") from error
    if len(content) % sum(widths):
        raise ValueError(f"Rows of {sum(widths)} bytes are expected; got {len(content)} bytes.")
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
