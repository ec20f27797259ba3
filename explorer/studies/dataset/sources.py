"""Where the pictures of a study come from, by name: signs, CIFAR-10. Folders are in pictures.py."""

from pathlib import Path

from explorer.samples import cifar10_folder, find_cifar10, gallery, new_sign
from explorer.studies.dataset.pictures import Listed

SIGNS, GALLERY, CIFAR10 = "signs", "gallery", "cifar10"
TITLES = {SIGNS: "new road signs", GALLERY: "the road signs of the page", CIFAR10: "CIFAR-10's test set"}


def named_pictures(source: str, n: int, seed: int = 0, folder: Path | None = None) -> list[Listed]:
    """The first `n` pictures of the source of this name, one of each class in turn; `folder`: where CIFAR-10 lies.
    Raises ValueError with one sentence if they are not here.
    """
    if source == SIGNS:
        return [Listed.of(new_sign(number)) for number in range(1, n + 1)]
    if source == GALLERY:
        clearest = sorted(gallery(), key=lambda sample: sample.name.rpartition("-")[2])
        return [Listed.of(sample) for sample in clearest[:n]]
    if source == CIFAR10:
        return _cifar10(n, seed, folder or cifar10_folder())
    raise ValueError(f"There are no pictures called {source!r}: one of {', '.join(TITLES)} is expected.")


def _cifar10(n: int, seed: int, folder: Path) -> list[Listed]:
    found = find_cifar10(folder)
    if found is None:
        raise ValueError(
            f"CIFAR-10 is not in {folder}: name torchvision's folder, or one with a folder of pictures per class, by "
            "--data; the page downloads it on a click."
        )
    return [
        Listed(f"cifar10-{number}", lambda number=number: found.read(number), int(found.labels[number]), "cifar10")
        for number in found.choose(n, seed)
    ]
