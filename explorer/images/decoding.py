"""Files -> pictures: safely, in little memory, and in one sentence where that cannot be.

What decides over a picture is its pixels. All else that a file may hold is used where it is valid (which way is up,
what its colours mean) and passed over where it is not.
"""

import mimetypes
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

import cv2
import numpy as np
from PIL import Image as Pillow

from explorer.folders import visible
from explorer.images import png
from explorer.images.colour import to_srgb
from explorer.images.pixels import from_uint8
from explorer.limits import limits
from explorer.types import Image

T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".bmp", ".dib")  # of files of these formats

STRIP = 256  # rows

_ALPHA_MODES = ("LA", "PA", "RGBA", "La", "RGBa")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112  # Exif's tag
_TURNED = {  # by its value: what makes the picture upright
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
    7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda p: p.transpose(1, 0, 2)[::-1],
}

_SIDEWAYS = (5, 6, 7, 8)  # of these, what turns its sides

# Decoding 25 million pixels takes 200 MB, and a server has many visitors: one picture at a time, and all of them in one
# thread, as each thread keeps memory of its own for what it may need again.
_decoder = ThreadPoolExecutor(1, thread_name_prefix="decoder")


def load_image(source: str | Path | bytes | BinaryIO, behind: str = "white") -> Image:
    """Read a PNG, JPEG, WebP or BMP picture from a path, from bytes or from an open file.

    The first frame of an animation, turned as its Exif tag says, colours as its ICC profile says, transparency on
    the colour `behind`; in a BMP whose alpha is zero everywhere nobody has filled it in, and the picture is opaque.

    16 bits are scaled to 8. Where a PNG says that fewer of them are significant (sBIT) and no value is larger than
    these can hold, the values were stored as they came, as scientific cameras do with 12 bits, and their range is
    scaled. A dark picture that does not say so is dark.

    Raises ValueError with one sentence if there is no usable picture.
    """
    return from_uint8(load_pixels(source, behind))


def load_pixels(source: str | Path | bytes | BinaryIO, behind: str = "white") -> np.ndarray:
    """The same as an (h, w, 3) uint8 array, a quarter of the memory. Pictures are decoded one at a time."""
    return with_pixels(source, lambda pixels: pixels, behind)


def with_pixels(source: str | Path | bytes | BinaryIO, use: Callable[[np.ndarray], T], behind: str = "white") -> T:
    """What `use` makes of this array, before the next picture is decoded: of many large ones, what is small is kept."""
    content = _content(source)
    return _decoder.submit(lambda: use(_decoded(content, behind))).result()


def size_of(source: str | Path | bytes | BinaryIO) -> tuple[int, int]:
    """The (height, width) that the picture will have, by its header: nothing is decoded. Raises ValueError as
    load_image does, though not on what is damaged further in.
    """
    return _decoder.submit(_size, _content(source)).result()  # to open a WebP takes the memory of all its pixels


def picture_files(folder: Path) -> list[Path]:
    """The pictures in this folder by their names' ends, in order."""
    return [path for path in visible(folder) if path.suffix.lower() in SUFFIXES and _is_data(path)]


def other_pictures(folder: Path) -> list[Path]:
    """The files in this folder that are pictures by their names' ends, of kinds that are not read, in order."""
    kinds = {path: mimetypes.guess_type(path.name)[0] or "" for path in visible(folder)}
    return [path for path, kind in kinds.items() if kind.startswith("image/") and path.suffix.lower() not in SUFFIXES]


def _is_data(path: Path) -> bool:
    """A file, or a link to a missing one, of which one is told when it is read; no folder, no pipe: that never ends."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _content(source: str | Path | bytes | BinaryIO) -> bytes:
    content = _read(source)
    if not content:
        raise ValueError("The file is empty.")
    return content


def _read(source: str | Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | Path):
        if Path(source).is_dir():
            raise ValueError(f"{source} is a folder: a picture file is expected.")
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise ValueError(f"The picture {source} cannot be read: {error.strerror}.") from None
    if not hasattr(source, "read"):
        raise ValueError(f"A picture is a path, bytes or an open file; got {type(source).__name__}.")
    source.seek(0)
    return source.read()


def _opened(content: bytes) -> tuple[Pillow.Image, png.Parts]:
    most = limits().picture_megapixels
    parts = png.take_apart(content) if content.startswith(png.SIGNATURE) else png.Parts(content)
    try:
        with warnings.catch_warnings(action="ignore"):  # of Pillow, about parts that are passed over
            picture = Pillow.open(BytesIO(parts.shown), formats=FORMATS)
    except Pillow.DecompressionBombError:
        raise ValueError(f"The picture is too large: at most {most} million pixels are read.") from None
    except Exception as error:  # decoders raise anything at all on a file that is none of theirs
        raise ValueError("The file cannot be read as a picture: a PNG, JPEG, WebP or BMP file is expected.") from error
    width, height = picture.size
    if width * height > most * 10**6:  # before decoding: a 20 kB file can unfold to gigabytes
        raise ValueError(
            f"The picture is too large: {width:,} × {height:,} pixels, where at most {most} million are read."
        )
    return picture, parts


def _size(content: bytes) -> tuple[int, int]:
    picture, parts = _opened(content)
    width, height = picture.size
    return (width, height) if _orientation(picture, parts.exif) in _SIDEWAYS else (height, width)


def _decoded(content: bytes, behind: str) -> np.ndarray:
    picture, parts = _opened(content)
    kind = picture.format
    try:
        with warnings.catch_warnings(action="ignore"):
            orientation = _orientation(picture, parts.exif)
            picture.load()
            if parts.unscaled_colour:
                picture = _deep_colour(parts)
            return _turned(_pixels_of(_as_rgb(picture, parts, behind)), orientation)
    except Exception as error:  # as above, for a file that breaks off or is damaged further in
        raise ValueError(f"The {kind} file is damaged or incomplete.") from error


def _orientation(picture: Pillow.Image, exif: bytes) -> int:
    """Exif's word for which way is up; 1 where it says nothing that can be read."""
    if picture.format == "PNG" and not exif:
        return 1  # without one, Pillow would decode the whole picture in search of it
    try:
        if exif:
            picture.info["exif"] = exif
        with warnings.catch_warnings(action="ignore"):
            return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # a parser of garbage raises anything at all
        return 1


def _pixels_of(picture: Pillow.Image) -> np.ndarray:
    """An RGB picture as an array, strip by strip: in one piece, Pillow makes two more copies on the way."""
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, STRIP):
        bottom = min(top + STRIP, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    turn = _TURNED.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _as_rgb(picture: Pillow.Image, parts: png.Parts, behind: str) -> Pillow.Image:
    profile = parts.profile or picture.info.get("icc_profile") or b""
    if picture.mode in _DEEP_MODES:
        grey = np.asarray(picture)
        picture = _scaled(grey if grey.dtype == np.uint16 else grey.clip(0, 65535).astype(np.uint16), parts.significant)
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        picture = _composed(picture.convert("RGBA"), behind, opaque=picture.format == "BMP")
    if picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    return to_srgb(picture, profile)


def _deep_colour(parts: png.Parts) -> Pillow.Image:
    """Of 16 bits of colour, Pillow keeps the upper eight, in which the pixels of fewer significant bits are not."""
    samples = cv2.imdecode(np.frombuffer(parts.shown, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples.ndim == 3:
        samples = cv2.cvtColor(samples, cv2.COLOR_BGRA2RGBA if samples.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return _scaled(samples, parts.significant)


def _scaled(samples: np.ndarray, significant: tuple[int, ...]) -> Pillow.Image:
    """uint16 samples as 8 bits. Pillow's own conversion clips at 255 instead of scaling."""
    bits = max(significant, default=16)
    unscaled = 0 < bits < 16 and samples.max() < 2**bits
    return Pillow.fromarray(cv2.convertScaleAbs(samples, alpha=255 / (2**bits - 1 if unscaled else 65535)))


def _composed(picture: Pillow.Image, behind: str, opaque: bool) -> Pillow.Image:
    """Without its alpha, on the colour `behind`; `opaque`: one that is zero everywhere means nothing."""
    if opaque and not picture.getchannel("A").getbbox():
        return picture.convert("RGB")
    ground = Pillow.new("RGB", picture.size, behind)
    ground.paste(picture, mask=picture)
    return ground
