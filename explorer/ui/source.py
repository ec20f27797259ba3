"""Where the picture comes from: signs, photographs, CIFAR-10, a file, or the camera."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

import streamlit as st

from explorer.images import SUFFIXES, Resize, size_of, to_uint8, with_pixels
from explorer.samples import find_cifar10, gallery, photographs
from explorer.samples.cifar10 import CLASS_NAMES
from explorer.types import Sample
from explorer.ui.cifar10 import offer_cifar10
from explorer.ui.fitting import Conversion, Original, convert, in_plain_view
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.link import bound, link, linked, linked_number, note_unknown, unlink, whole
from explorer.ui.markdown import plain
from explorer.ui.stores import Recent

SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA = "Road signs", "Photographs", "CIFAR-10", "Upload", "Camera"
SOURCES = (SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA)
PARAMETER = "picture"
OWN = {UPLOAD: "upload", CAMERA: "camera"}  # what the link says of a picture that it cannot hold
SHOWN = 54  # pictures of CIFAR-10 at a time
ALL_CLASSES = "all, in turn"
MAX_MEGABYTES = 10  # of a picture
MAX_SEED = 9999
STAYS = "it stays on the computer that runs this app"


def choose_source(dataset: str) -> str:
    """One of SOURCES: at first that of the link's picture, and, with a network of another data set, one that suits."""
    if "source" not in st.session_state:
        st.session_state.source = _source_of(linked_picture()) or default_source(dataset)
    elif st.session_state.get("source_for", dataset) != dataset:
        suits = st.session_state.source in (UPLOAD, CAMERA, default_source(dataset))
        if not suits:
            st.session_state.source = default_source(dataset)
            unlink(PARAMETER)
    elif source := _source_of(linked_picture()):  # after the browser's Back
        st.session_state.source = source
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
    try:
        return _fitted(original, size)
    except ValueError as error:  # a file that is damaged further in
        st.error(f"{plain(error)} Another picture is shown instead.")
        return _fitted(_as_original(_instead(dataset)), size)


def linked_picture() -> str:
    """The name of the picture that the link asks for; "" if it asks for none."""
    return st.query_params.get(PARAMETER, "")


def _source_of(name: str) -> str | None:
    if name in OWN.values():
        return next(source for source, marker in OWN.items() if marker == name)
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
    elif source in OWN:
        if own := _own(source):
            return own
        sample = _instead(dataset)
        st.caption(f"Shown until then: **{sample.caption or sample.name}**, which comes with the app.")
    else:
        samples = _all_of(source)
        names = [sample.name for sample in samples]
        chosen = linked(PARAMETER, names, names[0])
        key = "gallery" if source == SIGNS else "photographs"
        thumbnails(samples, chosen, key=key, on_pick=lambda name: link(PARAMETER, name, ""))
        if linked_picture() in ("", *names):  # else the address stays, and what is said of it
            link(PARAMETER, chosen, names[0] if source == default_source(dataset) else "")
        sample = samples[names.index(chosen)]
    return _as_original(sample or _instead(dataset))


def _as_original(found: Sample) -> Original:
    return Original(
        tuple(found.image.shape[1:]),
        lambda size, resize: convert(to_uint8(found.image), size, resize),
        lambda image: replace(found, image=image),
    )


def _fitted(original: Original, size: tuple[int, int]) -> Sample:
    if original.size == size:
        return original.sample(original.convert(size, None).image)
    return in_plain_view(original, size)


def _instead(dataset: str) -> Sample:
    """What is shown until there is the picture that was asked for."""
    return _all_of(SIGNS if dataset == "signs" else PHOTOGRAPHS)[0]


def _from_cifar10() -> Sample | None:
    try:
        found = find_cifar10()
        if found is None:
            offer_cifar10()
            return None
        linked_number("cifar_seed", "Shuffle", whole(0, MAX_SEED), 0)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            bound("cifar_class", [ALL_CLASSES, *CLASS_NAMES])
            name = st.selectbox("Class", [ALL_CLASSES, *CLASS_NAMES], key="cifar_class", bind="query-params", width=180)
            seed = st.number_input("Shuffle", 0, MAX_SEED, 0, key="cifar_seed", bind="query-params", width=140)
        label = None if name == ALL_CLASSES else CLASS_NAMES.index(name)
        samples = [found.sample(number) for number in found.choose(SHOWN, seed, label)]
        asked = linked_picture()
        chosen = found.find(asked) if asked else samples[0]
    except ValueError as error:
        st.error(plain(error))
        return None
    if chosen is None:
        note_unknown(PARAMETER, asked)
        chosen = samples[0]
    else:
        link(PARAMETER, chosen.name, "")
    thumbnails(samples, chosen.name, key="cifar10", on_pick=lambda picked: link(PARAMETER, picked, ""))
    return chosen


def _own(source: str) -> Original | None:
    link(PARAMETER, OWN[source], "")
    camera = source == CAMERA and _camera_is_allowed()
    if source == CAMERA and not camera:
        st.info(
            "Browsers lend a page the camera only over https, or on the computer that runs the app, and this page came "
            "over http: take the picture with your device's own camera, and upload it here."
        )
    if camera:
        file = st.camera_input(f"Take a picture; {STAYS}", key="camera")
    else:
        file = st.file_uploader(
            f"A photograph of your own; {STAYS}", SUFFIXES, key="upload", max_upload_size=MAX_MEGABYTES
        )
    if file is None:
        st.caption(
            "There is no picture of yours in this visit yet, and a link cannot hold one: "
            f"{'take' if camera else 'upload'} it here, also if you did so before."
        )
        return None
    content = file.getvalue()
    try:
        if len(content) > MAX_MEGABYTES * 2**20:
            raise ValueError(f"The file has {len(content) / 2**20:,.0f} MB; at most {MAX_MEGABYTES} are read.")
        size = _sizes.get(sha256(content).digest(), lambda: size_of(content))
    except ValueError as error:
        st.error(f"{plain(error)} Another picture is shown instead.")
        return None
    return Original(
        size,
        lambda size, resize: _convert_file(content, size, resize),
        lambda image: Sample("picture", image, caption="Your picture"),
    )


def _camera_is_allowed() -> bool:
    """Whether browsers lend their camera to the address that the page was opened with."""
    address = urlsplit(st.context.url or "")
    host = address.hostname or ""
    return address.scheme != "http" or host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


_sizes: Recent[tuple[int, int]] = Recent(256)
_conversions: Recent[Conversion] = Recent(64)


def _convert_file(content: bytes, size: tuple[int, int], resize: Resize | None) -> Conversion:
    """The result is kept, the picture, which may be large, is not."""
    key = sha256(content).digest(), size, resize
    return _conversions.get(key, lambda: with_pixels(content, lambda pixels: convert(pixels, size, resize)))
