"""What the Tune page can try settings on: networks whose pictures are here with their labels."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import streamlit as st
import torch
from torchvision.datasets import CIFAR10

from explorer.classifiers import CLASSIFIERS
from explorer.classifiers.own import own_cards
from explorer.hashes import image_sha256, stamp
from explorer.images import fit
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import cifar10_folder, find_cifar10, gallery
from explorer.types import Sample
from explorer.ui.caches import classifier
from explorer.ui.networks import card_of, registered

FROM_CIFAR10 = 80  # pictures of CIFAR-10 that are looked at: those that a network mistakes are left out


def tunable_networks() -> list[str]:
    """Names of the networks whose pictures are here, signs always, CIFAR-10 where it is: the bundled ones, then those
    that the person who runs the server brought along.
    """
    known = {"signs", "cifar10"} if _has_cifar10() else {"signs"}
    bundled = [card for card in CLASSIFIERS.values() if card.source == "bundled"]
    return [card.name for card in (*bundled, *registered(), *own_cards()) if card.dataset in known]


def labelled_pictures(networks: Sequence[str]) -> tuple[Sample, ...]:
    """Pictures that all of these networks classify correctly, the clearest of each class first.

    They have the size that the networks see. Raises ValueError with one sentence if the networks do not know the same
    classes, or see pictures of different sizes.
    """
    cards = [card_of(name) for name in networks]
    sizes = {card.input_size for card in cards}
    datasets = {card.dataset for card in cards}
    if len(datasets) > 1:
        raise ValueError("Choose networks for road signs, or networks for CIFAR-10: one picture cannot suit both.")
    if len(sizes) > 1:
        told = " and ".join(f"{width} × {height}" for height, width in sorted(sizes))
        raise ValueError(f"Choose networks that see pictures of one size; these see {told} pixels.")
    doubtful = tuple((card.name, card.content) for card in cards if card.ones_own or card.dataset == "cifar10")
    return _recognised(doubtful, cifar10_now() if datasets == {"cifar10"} else "", *sizes)


def pictures_of(dataset: str) -> tuple[Sample, ...]:
    """The pictures of "signs" or "cifar10" as they are, whatever any network sees in them, one of each class first.
    Raises ValueError with one sentence if they are not here.
    """
    return _recognised((), cifar10_now() if dataset == "cifar10" else "")


def fitted(samples: Sequence[Sample], size: tuple[int, int]) -> tuple[Sample, ...]:
    """The same in this size. A visitor's own network may see large pictures: only the last ones are kept, in the visit
    alone.
    """
    key, kept = (tuple(image_sha256(sample.image) for sample in samples), size), st.session_state.get("fitted")
    if kept is None or kept[0] != key:
        kept = key, tuple(replace(sample, image=fit(sample.image, size)) for sample in samples)
        st.session_state.fitted = kept
    return kept[1]


@lru_cache(maxsize=32)
def _recognised(
    networks: tuple[tuple[str, str], ...], folder: str, size: tuple[int, int] | None = None
) -> tuple[Sample, ...]:
    """Of the signs, or of CIFAR-10 in its `folder` as it is now, those that all of these networks, told by their names
    and contents, recognise: all where there is no network to ask. Fitted to `size`, by default as they are.
    """
    samples = _of_cifar10() if folder else sorted(gallery(), key=lambda sample: sample.name.rpartition("-")[2])
    if size is not None:
        samples = [replace(sample, image=fit(sample.image, size)) for sample in samples]
    right = [True] * len(samples)
    for name, _content in networks:
        clf = classifier(name)
        twin = read_only_twin(clf)
        with torch.no_grad(), as_one_sentence():
            for number, sample in enumerate(samples):
                right[number] &= int(twin(sample.image[None].to(clf.device)).argmax()) == sample.label
    if not any(right):
        raise ValueError("These networks classify none of the pictures correctly.")
    return tuple(sample for sample, keep in zip(samples, right, strict=True) if keep)


def cifar10_now() -> str:
    """The folder, and when what lies in it was put there: another time, other pictures."""
    folder = cifar10_folder()
    parts = (folder, folder / "test", folder / CIFAR10.base_folder / CIFAR10.test_list[0][0])
    return f"{folder} {[stamp(each) for each in parts]}"


def _of_cifar10() -> list[Sample]:
    found = find_cifar10()
    if found is None:
        raise ValueError("CIFAR-10's pictures are not here any more.")
    return [found.sample(number) for number in found.choose(FROM_CIFAR10, seed=0)]


def _has_cifar10() -> bool:
    try:
        return find_cifar10() is not None
    except ValueError:
        return False
