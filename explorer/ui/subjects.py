"""What the Tune page can try settings on: networks whose pictures are here with their labels."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import streamlit as st
import torch

from explorer.classifiers import CLASSIFIERS
from explorer.classifiers.own import own_cards
from explorer.hashes import image_sha256
from explorer.images import fit
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import DATA_SETS, title_of
from explorer.types import Sample
from explorer.ui.caches import classifier
from explorer.ui.networks import card_of, registered


def tunable_networks() -> list[str]:
    """Names of the networks whose labelled pictures are here: the bundled ones, then those that the person who runs the
    server brought along.
    """
    known = {name for name, each in DATA_SETS.items() if each.here()}
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
        told = ", or networks for ".join(title_of(name) for name in DATA_SETS if name in datasets)
        raise ValueError(f"Choose networks for {told}: one picture cannot suit both.")
    if len(sizes) > 1:
        told = " and ".join(f"{width} × {height}" for height, width in sorted(sizes))
        raise ValueError(f"Choose networks that see pictures of one size; these see {told} pixels.")
    dataset = next(iter(datasets), next(iter(DATA_SETS)))
    sure = DATA_SETS[dataset].bundled
    doubtful = tuple((card.name, card.content) for card in cards if card.ones_own or not sure)
    return _recognised(doubtful, dataset, DATA_SETS[dataset].now(), *sizes)


def pictures_of(dataset: str) -> tuple[Sample, ...]:
    """The pictures of this data set as they are, whatever any network sees in them, one of each class first. Raises
    ValueError with one sentence if they are not here.
    """
    return _recognised((), dataset, DATA_SETS[dataset].now())


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
    networks: tuple[tuple[str, str], ...], dataset: str, _now: str, size: tuple[int, int] | None = None
) -> tuple[Sample, ...]:
    """Of the data set's pictures, as they are now, those that all of these networks, told by their names and contents,
    recognise: all where there is no network to ask. Fitted to `size`, by default as they are.
    """
    samples = DATA_SETS[dataset].clearest()
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
