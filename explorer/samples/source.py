"""Pictures by their names, before they are read, and what a command or a page calls a whole of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from explorer.types import Image, Sample

EVERY = 10**9  # pictures: more than there are


@dataclass(frozen=True)
class Listed:
    """A picture by its name, before it is read."""

    name: str
    read: Callable[[], Image] = field(repr=False)  # in its own size. Raises ValueError with one sentence
    label: int | None = None  # the true class, if it is known
    dataset: str = ""  # whose classes `label` counts; "": the network's own

    @classmethod
    def of(cls, sample: Sample) -> "Listed":
        return cls(sample.name, lambda: sample.image, sample.label, sample.dataset)


@dataclass(frozen=True)
class Source:
    """Pictures of a data set that commands take by a name, and pages too."""

    dataset: str
    title: str  # in a sentence
    help: str  # of the option --pictures
    # The first so many, by a seed, from a folder (None: where they usually lie); ValueError if they are not here.
    listed: Callable[[int, int, Path | None], list[Listed]] = field(repr=False)
    shown: str = ""  # what pages call it; "": they do not offer it
    count: int | None = None  # how many there are; None: as many as one likes, or as are found
    endless: bool = False  # there is always another one
