"""Pictures as files and as tensors: safe loading, fitting to a network's input, PNG, and the overlay of pixel labels.

A picture is a (3, h, w) float32 tensor, RGB, whose values are multiples of 1/255 in [0, 1].
"""

import warnings
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageOps

from explorer.palette import LOOKS
from explorer.types import Image, PixelLabel

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_PIXELS = 25_000_000  # refused before decoding: a 20 kB file can unfold to gigabytes
OVERLAY_SIDE = 768  # the overlay's shorter side, in pixels, at least

_ALPHA_MODES = ("LA", "PA", "RGBA", "La", "RGBa")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def load_image(source: str | Path | bytes | BinaryIO) -> Image:
    """Read a PNG, JPEG, WebP or BMP picture from a path, from bytes or from an open file.

    The first frame of an animation, turned as its EXIF tag says, transparency on white, 16 bits scaled to 8.
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
        return from_uint8(_as_rgb(ImageOps.exif_transpose(picture)))
    except Exception as error:  # as above, for a file that breaks off or is damaged further in
        raise ValueError(f"The {picture.format} file is damaged or incomplete.") from error


def fit(image: Image, size: tuple[int, int]) -> Image:
    """Crop the middle to the aspect ratio of `size` = (height, width), then resize: by area down, by nearest up."""
    height, width = size
    pixels = to_uint8(image)
    crop_height = min(pixels.shape[0], max(1, round(pixels.shape[1] * height / width)))
    crop_width = min(pixels.shape[1], max(1, round(pixels.shape[0] * width / height)))
    top, left = (pixels.shape[0] - crop_height) // 2, (pixels.shape[1] - crop_width) // 2
    pixels = pixels[top : top + crop_height, left : left + crop_width]
    if pixels.shape[:2] == size:
        return from_uint8(pixels)
    shrinks = crop_height >= height and crop_width >= width
    return from_uint8(
        cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)
    )


def to_uint8(image: Image) -> np.ndarray:
    """The picture as an (h, w, 3) array of 0..255."""
    return (image.detach().cpu() * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def from_uint8(pixels: np.ndarray) -> Image:
    """An (h, w, 3) array of 0..255 as a picture."""
    return torch.from_numpy(np.array(pixels, dtype=np.float32)).div_(255).permute(2, 0, 1).contiguous()


def to_png(image: Image) -> bytes:
    """The picture as a PNG file; `load_image` gives exactly the same values back."""
    return cv2.imencode(".png", to_uint8(image)[..., ::-1])[1].tobytes()


def to_thumbnail(image: Image) -> bytes:
    """The picture as a small, lossy WebP file: to choose by, never to measure on."""
    return cv2.imencode(".webp", to_uint8(image)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])[1].tobytes()


def enlarge(image: Image, factor: int) -> Image:
    """Every pixel as a crisp square of `factor` x `factor`."""
    return image.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)


def overlay(adversarial: Image, pixels: Iterable[PixelLabel]) -> Image:
    """The adversarial picture, enlarged and paler, with a mark around every changed pixel; weak labels are hollow."""
    factor = max(1, -(-OVERLAY_SIDE // min(adversarial.shape[1:])))
    canvas = to_uint8(enlarge(adversarial, factor))
    radius = max(0.9 * factor, min(canvas.shape[:2]) / 64)
    for pixel in pixels:
        look = LOOKS[pixel.kind]
        centre = np.array([pixel.col + 0.5, pixel.row + 0.5]) * factor
        _draw(canvas, _outline(look.shape, centre, radius), look.rgb, hollow=pixel.weak)
    return from_uint8(canvas)


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


def _as_rgb(picture: Pillow.Image) -> np.ndarray:
    if picture.mode in _DEEP_MODES:  # Pillow's own conversion clips at 255 instead of scaling
        grey = np.rint(np.asarray(picture).astype(np.float64).clip(0, 65535) / 257)
        return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"))


def _outline(shape: str, centre: np.ndarray, radius: float) -> np.ndarray:
    corners = 48 if shape == "circle" else 4
    angles = np.arange(corners) * 2 * np.pi / corners
    reach = radius if shape == "circle" else 1.25 * radius  # a diamond of the same weight to the eye
    return centre + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _draw(canvas: np.ndarray, outline: np.ndarray, rgb: tuple[int, int, int], *, hollow: bool) -> None:
    fraction_bits = 4
    points = [np.rint(outline * 2**fraction_bits).astype(np.int32)]
    style = {"lineType": cv2.LINE_AA, "shift": fraction_bits}
    if not hollow:
        cv2.fillPoly(canvas, points, rgb, **style)
    cv2.polylines(canvas, points, True, (255, 255, 255), 5 if hollow else 2, **style)
    if hollow:
        cv2.polylines(canvas, points, True, rgb, 3, **style)
