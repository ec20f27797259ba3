"""The road signs that come with the project: chosen scenes, stored as pictures that look the same everywhere."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2

from explorer.folders import ASSETS
from explorer.samples.files import read_own
from explorer.samples.renders import NAME
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.types import Sample

FOLDER = ASSETS / "samples"

# The scenes' seeds by class: first a clear view, then an ordinary one, then one with shadow, dirt or haze.
_SEEDS: dict[str, tuple[int, ...]] = {
    "Stop": (8323, 26637, 263, 38),
    "Yield": (482, 286, 48),
    "No entry": (1505, 1025, 73),
    "Priority road": (657, 28, 122),
    "Speed limit 30": (3632, 1400, 96),
    "Speed limit 50": (7454, 1780, 62),
    "Speed limit 60": (2318, 1961, 160),
    "Speed limit 80": (1737, 56, 99),
    "Speed limit 100": (8941, 2044, 170),
    "Turn left": (2411, 390, 104),
    "Turn right": (3097, 399, 210),
    "Straight on": (6888, 2139, 186),
    "Roundabout": (12006, 47, 163),
    "Keep right": (14688, 777, 243),
    "Pedestrians": (15317, 190, 300),
    "Road works": (9933, 981, 302),
    "General caution": (20438, 226, 193),
    "No overtaking": (21299, 1013, 344),
}

_WHERE = {"sky": "against the sky", "foliage": "before trees", "wall": "before a wall", "street": "in a street"}


@dataclass(frozen=True)
class _Picture:
    """One picture of the gallery before it is read."""

    name: str
    label: int
    seed: int

    @property
    def file(self) -> str:
        return f"{self.name}.png"

    def sample(self) -> Sample:
        scene = Scene.sample(self.seed)
        caption = f"{CLASS_NAMES[self.label]} sign {_WHERE[scene.background]}"
        return Sample(self.name, read_own(FOLDER / self.file), self.label, caption, {"seed": self.seed}, NAME)


def _pictures() -> list[_Picture]:
    return [
        _Picture(f"{sign.lower().replace(' ', '-')}-{number}", CLASS_NAMES.index(sign), seed)
        for sign, seeds in _SEEDS.items()
        for number, seed in enumerate(seeds, 1)
    ]


@cache
def gallery() -> tuple[Sample, ...]:
    """All bundled pictures, 64x64; the first is the one to start with. `meta["seed"]` is the seed of the Scene.

    The pictures are read once and shared: treat them as read-only. Raises RuntimeError if a file is missing.
    """
    return tuple(picture.sample() for picture in _pictures())


def make_gallery(folder: Path = FOLDER) -> None:
    """Render the pictures again and store them as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in _pictures():
        pixels = render(picture.label, Scene.sample(picture.seed))
        cv2.imwrite(str(folder / picture.file), pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
