"""What the Tune page can try settings on: networks whose pictures are here with their labels."""

from collections.abc import Sequence
from functools import lru_cache

import torch

from explorer.classifiers import CLASSIFIERS
from explorer.locks import read_only_twin
from explorer.samples import cifar10_folder, find_cifar10, gallery
from explorer.types import Sample
from explorer.ui.caches import classifier

FROM_CIFAR10 = 80  # pictures of CIFAR-10 that are looked at: those that a network mistakes are left out


def tunable_networks() -> list[str]:
    """Names of the bundled networks whose pictures are here: signs always, CIFAR-10 where it is."""
    known = {"signs", "cifar10"} if _has_cifar10() else {"signs"}
    return [name for name, card in CLASSIFIERS.items() if card.source == "bundled" and card.dataset in known]


def labelled_pictures(networks: Sequence[str]) -> tuple[Sample, ...]:
    """Pictures that all of these networks classify correctly, the clearest of each class first.

    Raises ValueError with one sentence if the networks do not know the same classes.
    """
    datasets = {CLASSIFIERS[name].dataset for name in networks}
    if len(datasets) > 1:
        raise ValueError("Choose networks for road signs, or networks for CIFAR-10: one picture cannot suit both.")
    if datasets == {"cifar10"}:
        return _from_cifar10(tuple(networks), str(cifar10_folder()))
    return tuple(sorted(gallery(), key=lambda sample: sample.name.rpartition("-")[2]))


@lru_cache(maxsize=32)
def _from_cifar10(networks: tuple[str, ...], _folder: str) -> tuple[Sample, ...]:
    found = find_cifar10()
    if found is None:
        raise ValueError("CIFAR-10's pictures are not here any more.")
    samples = [found.sample(number) for number in found.choose(FROM_CIFAR10, seed=0)]
    images = torch.stack([sample.image for sample in samples])
    labels = torch.tensor([sample.label for sample in samples])
    right = torch.ones(len(samples), dtype=torch.bool)
    for name in networks:
        clf = classifier(name)
        with torch.no_grad():
            right &= read_only_twin(clf)(images.to(clf.device)).argmax(1).cpu() == labels
    if not right.any():
        raise ValueError("These networks classify none of the pictures correctly.")
    return tuple(sample for sample, keep in zip(samples, right.tolist(), strict=True) if keep)


def _has_cifar10() -> bool:
    try:
        return find_cifar10() is not None
    except ValueError:
        return False
