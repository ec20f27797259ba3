"""The data sets whose classes networks are known by: what their pictures are usually normalised by, and their size."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from torchvision.models import ResNet18_Weights

from explorer.classifiers import imagenet
from explorer.classifiers.bundled import read_manifest

CUSTOM = "custom"  # classes of one's own
TITLES = {"signs": "rendered road signs", "cifar10": "CIFAR-10", "imagenet": "ImageNet"}
_ALSO = {"plane": "airplane", "car": "automobile"}  # what CIFAR-10's classes are called in PyTorch's tutorial


@dataclass(frozen=True)
class DataSet:
    """What a network of this data set usually expects."""

    classes: tuple[str, ...]
    mean: tuple[float, ...]  # per channel, in [0, 1] units
    std: tuple[float, ...]
    input_size: tuple[int, int]  # h, w


@cache
def data_sets() -> dict[str, DataSet]:
    """All of them by name: "imagenet", and those that bundled networks were trained on."""
    categories = ResNet18_Weights.DEFAULT.meta["categories"]
    known = {"imagenet": DataSet(tuple(categories), imagenet.IMAGENET_MEAN, imagenet.IMAGENET_STD, (224, 224))}
    for entry in read_manifest().values():
        known[entry.dataset] = DataSet(
            tuple(entry.classes), tuple(entry.mean), tuple(entry.std), tuple(entry.input_size)
        )
    return known


def data_set_of(names: Sequence[str]) -> str:
    """The data set whose classes these are, in their order, however they are spelt; "custom" if there is none."""
    spelt = [*map(_plain, names)]
    return next((name for name, each in data_sets().items() if [*map(_plain, each.classes)] == spelt), CUSTOM)


def _plain(name: str) -> str:
    letters = "".join(letter for letter in name.casefold() if letter.isalnum())
    return _ALSO.get(letters, letters)
