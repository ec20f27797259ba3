"""Pictures as files and as tensors: safe loading, fitting to a network's input, and PNG.

A picture is a (3, h, w) float32 tensor, RGB, whose values are multiples of 1/255 in [0, 1].
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps

from explorer.grid import from_levels, levels
from explorer.types import Image

Resize = Literal["area", "nearest"]
RESIZES: tuple[Resize, ...] = ("area", "nearest")  # each pixel the mean of what it covers, or what lies at its middle

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_PIXELS = 25_000_000  # refused before decoding: a 20 kB file can unfold to gigabytes

_ALPHA_MODES = ("LA", "PA", "RGBA", "La", "RGBa")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def load_image(source: str | Path | bytes | BinaryIO, behind: str = "white") -> Image:
    """Read a PNG, JPEG, WebP or BMP picture from a path, from bytes or from an open file.

    The first frame of an animation, turned as its EXIF tag says, transparency on the colour `behind`, 16 bits scaled
    to 8.
    Raises ValueError with one sentence if there is no usable picture.
    """
    content = _read(source)
    if not content:
        raise ValueError("The file is empty.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            picture = Pillow.open(BytesIO(content), formats=FORMATS)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise ValueError(f"The picture is too large: at most {MAX_PIXELS // 10**6} million pixels are read.") from None
    except Exception as error:  # decoders raise anything at all on a file that is none of theirs
        raise ValueError("The file cannot be read as a picture: a PNG, JPEG, WebP or BMP file is expected.") from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"The picture is too large: {width:,} × {height:,} pixels, "
            f"where at most {MAX_PIXELS // 10**6} million are read."
        )
    try:
        picture.load()
        return from_uint8(_as_rgb(ImageOps.exif_transpose(picture), behind))
    except Exception as error:  # as above, for a file that breaks off or is damaged further in
        raise ValueError(f"The {picture.format} file is damaged or incomplete.") from error


@dataclass(frozen=True)
class Crop:
    """The part of a picture that a network sees, in pixels of that picture."""

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """That part of an (h, w, 3) array."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


def middle(original: tuple[int, int], size: tuple[int, int]) -> Crop:
    """The largest part in the middle of a picture of size `original` that has the aspect ratio of `size`, to the
    nearest pixel. Both are (height, width).
    """
    crop_height = min(original[0], max(1, round(original[1] * size[0] / size[1])))
    crop_width = min(original[1], max(1, round(original[0] * size[1] / size[0])))
    return Crop((original[0] - crop_height) // 2, (original[1] - crop_width) // 2, crop_height, crop_width)


def suited_resize(crop: tuple[int, int], size: tuple[int, int]) -> Resize:
    """What loses least: by area where a picture shrinks, by nearest where it grows. Both are (height, width)."""
    return "area" if crop[0] >= size[0] and crop[1] >= size[1] else "nearest"


def fit(image: Image, size: tuple[int, int], resize: Resize | None = None) -> Image:
    """Crop the middle to the aspect ratio of `size` = (height, width), then resize, by default as suits the sizes."""
    crop = middle(tuple(image.shape[1:]), size)
    pixels = crop.of(to_uint8(image))
    if crop.size == size:
        return from_uint8(pixels)
    by_area = (resize or suited_resize(crop.size, size)) == "area"
    interpolation = cv2.INTER_AREA if by_area else cv2.INTER_NEAREST_EXACT
    return from_uint8(cv2.resize(pixels, size[::-1], interpolation=interpolation))


def shrunk(image: Image, side: int) -> Image:
    """The whole picture, with no side longer than `side` pixels: to be looked at."""
    height, width = image.shape[1:]
    scale = side / max(height, width)
    return image if scale >= 1 else fit(image, (max(1, round(scale * height)), max(1, round(scale * width))), "area")


def framed(image: Image, crop: Crop, side: int) -> Image:
    """The picture, no side longer than `side` pixels, `crop` in a frame, the rest pale: to be looked at."""
    small = to_uint8(shrunk(image, side))
    scale = small.shape[0] / image.shape[1], small.shape[1] / image.shape[2]
    top, left = round(crop.top * scale[0]), round(crop.left * scale[1])
    bottom = max(top + 1, round((crop.top + crop.height) * scale[0]))
    right = max(left + 1, round((crop.left + crop.width) * scale[1]))
    inside = small[top:bottom, left:right].copy()
    small = (0.3 * small + 0.7 * 255).astype(np.uint8)
    small[top:bottom, left:right] = inside
    for colour, inset in (((255, 255, 255), 1), ((91, 79, 199), 0)):
        corners = (left + inset, top + inset), (right - 1 - inset, bottom - 1 - inset)
        cv2.rectangle(small, *corners, colour, 1)
    return from_uint8(small)


def to_uint8(image: Image) -> np.ndarray:
    """The picture as an (h, w, 3) array of 0..255."""
    return levels(image.cpu()).permute(1, 2, 0).contiguous().numpy()


def from_uint8(pixels: np.ndarray) -> Image:
    """An (h, w, 3) array of 0..255 as a picture."""
    return from_levels(torch.from_numpy(np.array(pixels, dtype=np.uint8)).permute(2, 0, 1).contiguous())


def to_png(image: Image) -> bytes:
    """The picture as a PNG file; `load_image` gives exactly the same values back."""
    return cv2.imencode(".png", to_uint8(image)[..., ::-1])[1].tobytes()


def to_thumbnail(image: Image) -> bytes:
    """The picture as a small, lossy WebP file: to choose by, never to measure on."""
    return cv2.imencode(".webp", to_uint8(image)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])[1].tobytes()


def enlarge(image: Image, factor: int) -> Image:
    """Every pixel as a crisp square of `factor` x `factor`."""
    return image.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)


def _read(source: str | Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | Path):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise ValueError(f"The picture {source} cannot be read: {error.strerror}.") from None
    source.seek(0)
    return source.read()


def _as_rgb(picture: Pillow.Image, behind: str) -> np.ndarray:
    if picture.mode in _DEEP_MODES:  # Pillow's own conversion clips at 255 instead of scaling
        grey = np.rint(np.asarray(picture).astype(np.float64).clip(0, 65535) / 257)
        return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", picture.size, behind), picture)
    return np.asarray(picture.convert("RGB"))
