"""Pictures that came with the project or with a library: that one of them is missing is nobody's bad input."""

from pathlib import Path

from explorer.images import load_image
from explorer.types import Image


def read_own(path: Path) -> Image:
    """The picture in this file. Raises RuntimeError with one sentence if it cannot be read."""
    try:
        return load_image(path)
    except ValueError as error:
        raise RuntimeError(f"{path} belongs to what is installed, but cannot be read: {error}") from error
