"""Where a picture may change: a region of its pixels, as data that can be compared, kept and put into a link."""

import base64
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from explorer.images import fit, fit_pixels, size_of, with_pixels
from explorer.signs import Scene, silhouette

Mask = Bool[Tensor, "h w"]
Size = tuple[int, int]  # height, width
Corner = Sequence[float]  # (x, y): columns from the left and rows from the top, in pixels; a pixel's middle is at 0.5

BRIGHT = 128  # of 255: from which brightness, times opacity, a pixel of a mask's file may change
MAX_SIDE = 4096  # pixels, of what a text form may unfold to
MAX_CORNERS = 10_000  # of a polygon
_FORM = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})\.", re.ASCII)


@dataclass(frozen=True)
class Region:
    """The pixels of a picture that may change, at least one. Two regions of the same pixels are equal.

    Every constructor raises ValueError with one sentence where nothing could change.
    """

    height: int
    width: int
    bits: bytes  # row by row, the first pixel in the highest bit, the last byte filled up with zeros

    @classmethod
    def of(cls, mask: Mask) -> "Region":
        """Where `mask` (h, w) bool is True."""
        if not torch.is_tensor(mask) or mask.ndim != 2 or mask.dtype != torch.bool:
            got = f"{mask.dtype} {tuple(mask.shape)}" if torch.is_tensor(mask) else type(mask).__name__
            raise ValueError(f"A region is a bool tensor of shape (h, w); got {got}.")
        if not mask.any():
            raise ValueError("The region is empty: at least one pixel must be allowed to change.")
        return cls(*mask.shape, np.packbits(mask.cpu().numpy()).tobytes())

    @classmethod
    def box(cls, size: Size, row: int, col: int, height: int, width: int) -> "Region":
        """A box of `height` rows and `width` columns whose first pixel is (row, col), in a picture of this size."""
        if row < 0 or col < 0 or height < 1 or width < 1 or row + height > size[0] or col + width > size[1]:
            raise ValueError(
                f"The box must lie in the picture of {size[0]} rows and {size[1]} columns; "
                f"got {height} × {width} pixels from row {row}, column {col}."
            )
        mask = torch.zeros(size, dtype=torch.bool)
        mask[row : row + height, col : col + width] = True
        return cls.of(mask)

    @classmethod
    def polygon(cls, size: Size, corners: Sequence[Corner]) -> "Region":
        """The pixels whose middle lies in the polygon: an odd number of its edges lie to their right."""
        points = np.asarray(corners, float)
        if (
            points.ndim != 2
            or points.shape[1] != 2
            or not 3 <= len(points) <= MAX_CORNERS
            or not np.isfinite(points).all()
        ):
            raise ValueError(f"A polygon has 3 to {MAX_CORNERS:,} corners (x, y); got {points.shape}.")
        odd, x = np.zeros(size, bool), np.arange(size[1]) + 0.5
        for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
            first, after = (int(np.ceil(np.clip(y, 0, size[0]) - 0.5)) for y in sorted((ay, by)))
            y = np.arange(first, after) + 0.5  # of the rows that the edge crosses
            odd[first:after] ^= x < ((bx - ax) * (y - ay) / (by - ay) + ax)[:, None]
        if not odd.any():
            raise ValueError("The region is empty: no pixel's middle lies inside what was drawn.")
        return cls.of(torch.from_numpy(odd))

    @classmethod
    def from_file(cls, content: bytes, size: Size, original: Size | None = None) -> "Region":
        """From a mask as a PNG, JPEG, WebP or BMP file: white may change, black and transparent may not.

        What lies between counts as white where its brightness (the mean of red, green and blue) times its opacity is at
        least BRIGHT of 255. A mask of the `original` picture's size is cropped and resized to `size` as that picture
        is, by nearest. Raises ValueError on a mask of any other size.
        """
        found = size_of(content)
        if found not in (size, original):
            sizes = dict.fromkeys((original or size, size))
            expected = " or ".join(f"{width} × {height}" for height, width in sizes)
            raise ValueError(f"The mask has {found[1]} × {found[0]} pixels; expected {expected}, width by height.")
        fitted = with_pixels(content, lambda pixels: fit_pixels(pixels, size, "nearest").copy(), behind="black")
        return cls.of(torch.from_numpy(fitted.sum(2, dtype=int) >= 3 * BRIGHT))

    @classmethod
    def sign(cls, label: int, seed: int, size: Size) -> "Region":
        """What the rendered sign of this class covers in the scene of this seed, cropped and resized as its picture."""
        mask = torch.from_numpy(silhouette(label, Scene.sample(seed)))
        return cls.of(mask if tuple(mask.shape) == size else _fitted(mask, size))

    @classmethod
    def parse(cls, text: str) -> "Region":
        """The region of this text form. Raises ValueError with one sentence if it is none."""
        form = _FORM.match(text)
        if form is None or max(int(form[1]), int(form[2])) > MAX_SIDE:
            raise ValueError(f"A region's text is HEIGHTxWIDTH.BITS, with sides up to {MAX_SIDE}; got {text[:40]!r}.")
        size, packed = (int(form[1]), int(form[2])), text[form.end() :]
        n_bytes = -(-size[0] * size[1] // 8)
        if len(packed) > 2 * n_bytes + 64:
            raise ValueError(
                f"The region's text is too long: {len(packed):,} characters for {size[0]} × {size[1]} pixels."
            )
        try:
            unpacking = zlib.decompressobj()
            content = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
            bits = unpacking.decompress(content, n_bytes + 1)  # no more, whatever it may unfold to
        except (ValueError, zlib.error) as error:
            raise ValueError(f"The region's text is damaged: {text[:40]!r} does not unpack.") from error
        if len(bits) != n_bytes or not unpacking.eof:
            raise ValueError(f"The region's text is damaged: {text[:40]!r} is not of its size.")
        return cls.of(_unpacked(bits, size))

    @property
    def text(self) -> str:
        """A short form for links and files: the size, and the bits, compressed."""
        packed = base64.urlsafe_b64encode(zlib.compress(self.bits, 9)).decode().rstrip("=")
        return f"{self.height}x{self.width}.{packed}"

    @property
    def size(self) -> Size:
        return self.height, self.width

    @property
    def mask(self) -> Mask:
        """True where pixels may change, (h, w), on the CPU."""
        return _unpacked(self.bits, self.size)

    @property
    def n_pixels(self) -> int:
        return int.from_bytes(self.bits, "big").bit_count()

    @property
    def told(self) -> str:
        """How many pixels it has, in words."""
        return "1 pixel" if self.n_pixels == 1 else f"{self.n_pixels:,} pixels"

    @property
    def inverse(self) -> "Region":
        """All other pixels. Raises ValueError where there is none."""
        return Region.of(~self.mask)

    def __or__(self, other: "Region") -> "Region":
        """The pixels of either; both are of one size."""
        return Region.of(self.mask | other.mask)


def _unpacked(bits: bytes, size: Size) -> Mask:
    flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=size[0] * size[1])
    return torch.from_numpy(flat.reshape(size).astype(bool))


def _fitted(mask: Mask, size: Size) -> Mask:
    """Cropped as a picture is, and resized by nearest."""
    return fit(mask.float().expand(3, *mask.shape), size, "nearest")[0] > 0.5
