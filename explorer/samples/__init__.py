"""Where pictures to attack come from: data sets, photographs, folders. A data set is a file, and an entry here."""

from collections.abc import Sequence
from pathlib import Path

from explorer.regions import Region, Size
from explorer.samples.cifar10 import Cifar10, cifar10_folder, download_cifar10, find_cifar10
from explorer.samples.data_set import CUSTOM, DataSet
from explorer.samples.gallery import gallery
from explorer.samples.imagenet import ImageNet
from explorer.samples.photographs import photographs
from explorer.samples.renders import find_new_sign, new_sign
from explorer.samples.signs import RoadSigns
from explorer.samples.source import EVERY, Listed, Source
from explorer.samples.split import Split
from explorer.types import Sample

__all__ = [
    "CUSTOM",
    "DATA_SETS",
    "EVERY",
    "Cifar10",
    "DataSet",
    "ImageNet",
    "Listed",
    "RoadSigns",
    "Source",
    "Split",
    "cifar10_folder",
    "data_set_of",
    "download_cifar10",
    "find_cifar10",
    "find_new_sign",
    "find_sample",
    "gallery",
    "named_pictures",
    "new_sign",
    "object_is_known",
    "object_of",
    "photographs",
    "sources",
    "title_of",
]

DATA_SETS: dict[str, DataSet] = {each.name: each for each in (RoadSigns(), Cifar10(), ImageNet())}


def title_of(name: str) -> str:
    """What the classes of this name, a key of DATA_SETS or CUSTOM, are called in a sentence."""
    return DATA_SETS[name].title if name in DATA_SETS else "classes of its own" if name == CUSTOM else name


def data_set_of(classes: Sequence[str]) -> str:
    """The data set whose classes these are, in their order, however they are spelt; CUSTOM if there is none."""
    for name, each in DATA_SETS.items():
        if len(classes) == len(each.classes):
            spelt, known = ([_plain(word, each) for word in words] for words in (classes, each.classes))
            if spelt == known:
                return name
    return CUSTOM


def _plain(name: str, of: DataSet) -> str:
    letters = "".join(letter for letter in name.casefold() if letter.isalnum())
    return of.aliases.get(letters, letters)


def sources() -> dict[str, Source]:
    """What many pictures are called in commands and links, of all data sets."""
    return {name: source for each in DATA_SETS.values() for name, source in each.sources.items()}


def named_pictures(source: str, n: int, seed: int = 0, folder: Path | None = None) -> list[Listed]:
    """The first `n` pictures of the source of this name, one of each class in turn; `folder`: where they lie, if they
    are files. Raises ValueError with one sentence if they are not here.
    """
    if source not in sources():
        raise ValueError(f"There are no pictures called {source!r}: one of {', '.join(sources())} is expected.")
    return sources()[source].listed(n, seed, folder)


def find_sample(name: str) -> Sample:
    """The picture of this name from any source, e.g. "stop-1", "sign-7" (a new sign), "coffee" or, where CIFAR-10 is
    there, "cifar10-42".

    Raises ValueError with one sentence if there is none.
    """
    for each in DATA_SETS.values():
        if (found := each.find(name)) is not None:
            return found
    for sample in photographs():
        if sample.name == name:
            return sample
    known = [each.called for each in DATA_SETS.values() if each.called]
    others = ", ".join(sample.name for sample in photographs())
    raise ValueError(f"There is no picture {name!r}: {', '.join(known)}, and photographs are {others}.")


def object_is_known(sample: Sample) -> bool:
    """Whether it is known which pixels of this picture show its object."""
    return sample.dataset in DATA_SETS and DATA_SETS[sample.dataset].has_object(sample)


def object_of(sample: Sample, size: Size) -> Region | None:
    """These pixels, in a picture of this size; None where nobody knows."""
    return DATA_SETS[sample.dataset].object_of(sample, size) if object_is_known(sample) else None
