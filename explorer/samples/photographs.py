"""Photographs that lie in scikit-image's own package, all of them free to use: nothing is downloaded for them."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from explorer.samples.files import read_own
from explorer.types import Sample

_FILES = {  # by name: the file and what it shows
    "chelsea": ("chelsea.png", "A tabby cat"),
    "coffee": ("coffee.png", "A cup of coffee on a saucer"),
    "astronaut": ("astronaut.png", "An astronaut in front of a flag and a model of a rocket"),
    "rocket": ("rocket.jpg", "A rocket before its launch"),
    "motorcycle": ("motorcycle_left.png", "A motorcycle in a workshop"),
    "camera": ("camera.png", "A man behind a camera, in black and white"),
    "clock": ("clock_motion.png", "A clock, blurred by motion"),
    "coins": ("coins.png", "Old coins in rows"),
    "moon": ("moon.png", "The surface of the moon"),
    "hubble": ("hubble_deep_field.jpg", "Galaxies, far away"),
}


@cache
def photographs() -> tuple[Sample, ...]:
    """All of them, in their own sizes, without labels.

    They are read once and shared: treat them as read-only. Raises RuntimeError if a file is missing.
    """
    folder = Path(find_spec("skimage").origin).parent / "data"
    return tuple(
        Sample(name, read_own(folder / file), caption=caption, meta={"package": "scikit-image", "file": file})
        for name, (file, caption) in _FILES.items()
    )
