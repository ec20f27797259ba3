"""Where the picture comes from: signs, photographs, CIFAR-10, a file, or the camera."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import streamlit as st

from explorer.images import SUFFIXES, Resize, load_pixels, to_uint8
from explorer.samples import find_cifar10, gallery, photographs
from explorer.samples.cifar10 import CLASS_NAMES
from explorer.types import Sample
from explorer.ui.cifar10 import offer_cifar10
from explorer.ui.fitting import Conversion, Original, convert, in_plain_view
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.link import link, linked, linked_number, unlink
from explorer.ui.markdown import plain

SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA = "Road signs", "Photographs", "CIFAR-10", "Upload", "Camera"
SOURCES = (SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA)
PARAMETER = "picture"
SHOWN = 54  # pictures of CIFAR-10 at a time
ALL_CLASSES = "all, in turn"
MAX_MEGABYTES = 10  # of a picture
MAX_SEED = 9999


def choose_source(dataset: str) -> str:
    """One of SOURCES: at first that of the link's picture, and, with a network of another data set, one that suits."""
    if "source" not in st.session_state:
        st.session_state.source = _source_of(linked_picture()) or default_source(dataset)
    elif st.session_state.get("source_for", dataset) != dataset:
        suits = st.session_state.source in (UPLOAD, CAMERA, default_source(dataset))
        if not suits:
            st.session_state.source = default_source(dataset)
            unlink(PARAMETER)
    st.session_state.source_for = dataset
    return st.segmented_control(
        "Picture", SOURCES, required=True, key="source", wrap=True, on_change=lambda: unlink(PARAMETER)
    )


def default_source(dataset: str) -> str:
    """Where a network of this data set finds pictures of what it knows, as far as they are here."""
    if dataset == "signs":
        return SIGNS
    return CIFAR10 if dataset == "cifar10" and _cifar10_is_here() else PHOTOGRAPHS


def choose_picture(source: str, dataset: str, size: tuple[int, int]) -> Sample:
    """Let a person choose a picture, and fit it to `size` = (height, width) in plain view. Its name is in the link, if
    it has one.
    """
    original = _chosen(source, dataset)
    if original.size == size:
        return original.sample(original.convert(size, None).image)
    return in_plain_view(original, size)


def linked_picture() -> str:
    """The name of the picture that the link asks for; "" if it asks for none."""
    return st.query_params.get(PARAMETER, "")


def _source_of(name: str) -> str | None:
    for source in (SIGNS, PHOTOGRAPHS):
        if any(sample.name == name for sample in _all_of(source)):
            return source
    return CIFAR10 if name.startswith("cifar10-") and _cifar10_is_here() else None


def _all_of(source: str) -> Sequence[Sample]:
    return gallery() if source == SIGNS else photographs()


def _cifar10_is_here() -> bool:
    try:
        return find_cifar10() is not None
    except ValueError:
        return False


def _chosen(source: str, dataset: str) -> Original:
    if source == CIFAR10:
        sample = _from_cifar10()
    elif source in (UPLOAD, CAMERA):
        if own := _own(source):
            return own
        sample = None
    else:
        samples = _all_of(source)
        names = [sample.name for sample in samples]
        chosen = linked(PARAMETER, names, names[0])
        key = "gallery" if source == SIGNS else "photographs"
        thumbnails(samples, chosen, key=key, on_pick=lambda name: link(PARAMETER, name, ""))
        link(PARAMETER, chosen, names[0] if source == default_source(dataset) else "")
        sample = samples[names.index(chosen)]
    found = sample or _all_of(SIGNS if dataset == "signs" else PHOTOGRAPHS)[0]
    return Original(
        tuple(found.image.shape[1:]),
        lambda size, resize: convert(to_uint8(found.image), size, resize),
        lambda image: replace(found, image=image),
    )


def _from_cifar10() -> Sample | None:
    try:
        found = find_cifar10()
        if found is None:
            offer_cifar10()
            return None
        linked_number("cifar_seed", "Shuffle", lambda seed: round(min(max(seed, 0), MAX_SEED)), 0)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Class", [ALL_CLASSES, *CLASS_NAMES], key="cifar_class", bind="query-params", width=180)
            seed = st.number_input("Shuffle", 0, MAX_SEED, 0, key="cifar_seed", bind="query-params", width=140)
        label = None if name == ALL_CLASSES else CLASS_NAMES.index(name)
        samples = [found.sample(number) for number in found.choose(SHOWN, seed, label)]
        chosen = found.find(linked_picture()) or samples[0]
    except ValueError as error:
        st.error(plain(error))
        return None
    thumbnails(samples, chosen.name, key="cifar10", on_pick=lambda picked: link(PARAMETER, picked, ""))
    link(PARAMETER, chosen.name, "")
    return chosen


def _own(source: str) -> Original | None:
    unlink(PARAMETER)
    if source == UPLOAD:
        file = st.file_uploader(
            "A photograph of your own; it stays on this computer", SUFFIXES, key="upload", max_upload_size=MAX_MEGABYTES
        )
    else:
        file = st.camera_input("Take a picture; it stays on this computer", key="camera")
    if file is None:
        return None
    content = file.getvalue()
    try:
        if len(content) > MAX_MEGABYTES * 2**20:
            raise ValueError(f"The file has {len(content) / 2**20:,.0f} MB; at most {MAX_MEGABYTES} are read.")
        size = _size_of(content)
    except ValueError as error:
        st.error(f"{plain(error)} Another picture is shown instead.")
        return None
    return Original(
        size,
        lambda size, resize: _convert_file(content, size, resize),
        lambda image: Sample("picture", image, caption="Your picture"),
    )


@lru_cache(maxsize=8)
def _size_of(content: bytes) -> tuple[int, int]:
    return load_pixels(content).shape[:2]


@lru_cache(maxsize=8)
def _convert_file(content: bytes, size: tuple[int, int], resize: Resize | None) -> Conversion:
    """The result is kept, the picture, which may be large, is not."""
    return convert(load_pixels(content), size, resize)
