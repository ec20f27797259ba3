"""Where pictures to attack come from. Adding a source is a file, and a line in find_sample."""

from explorer.samples.cifar10 import cifar10_folder, download_cifar10, find_cifar10
from explorer.samples.gallery import gallery
from explorer.samples.photographs import photographs
from explorer.samples.renders import find_new_sign, new_sign
from explorer.types import Sample

__all__ = [
    "cifar10_folder",
    "download_cifar10",
    "find_cifar10",
    "find_new_sign",
    "find_sample",
    "gallery",
    "new_sign",
    "photographs",
]


def find_sample(name: str) -> Sample:
    """The picture of this name from any source, e.g. "stop-1", "sign-7" (a new sign), "coffee" or, where CIFAR-10 is
    there, "cifar10-42".

    Raises ValueError with one sentence if there is none.
    """
    for sample in (*gallery(), *photographs()):
        if sample.name == name:
            return sample
    if (sign := find_new_sign(name)) is not None:
        return sign
    cifar10 = find_cifar10() if name.startswith("cifar10-") else None
    if cifar10 is not None and (found := cifar10.find(name)):
        return found
    signs = ", ".join(sample.name for sample in gallery() if sample.name.endswith("-1"))
    others = ", ".join(sample.name for sample in photographs())
    raise ValueError(
        f"There is no picture {name!r}: signs are {signs}, also with -2 and -3, new signs sign-1, sign-2, …, "
        f"photographs are {others}, and CIFAR-10's test set, where it is there, is cifar10-0 to cifar10-9999."
    )
