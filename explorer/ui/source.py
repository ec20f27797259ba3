"""Where the picture comes from: signs, photographs, CIFAR-10, a file, or the camera."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import streamlit as st

from explorer.images import SUFFIXES, to_uint8
from explorer.limits import limits
from explorer.samples import find_cifar10, find_new_sign, gallery, photographs
from explorer.samples.cifar10 import CLASS_NAMES
from explorer.types import Sample
from explorer.ui.cifar10 import offer_cifar10
from explorer.ui.fitting import Original, convert, in_plain_view
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.link import bound, link, linked, linked_number, note_unknown, said, unlink, whole
from explorer.ui.markdown import plain
from explorer.ui.own_pictures import carried, choose_one, own_pictures, tell_problems
from explorer.ui.restore import restore_upload, tell_restored

SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA = "Road signs", "Photographs", "CIFAR-10", "Upload", "Camera"
SOURCES = (SIGNS, PHOTOGRAPHS, CIFAR10, UPLOAD, CAMERA)
PARAMETER = "picture"
OWN = {UPLOAD: "upload", CAMERA: "camera"}  # what the link says of a picture that it cannot hold
SHOWN = 54  # pictures of CIFAR-10 at a time
ALL_CLASSES = "all, in turn"
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
    return CIFAR10 if dataset == "cifar10" and cifar10_is_here() else PHOTOGRAPHS


def choose_picture(source: str, dataset: str, size: tuple[int, int]) -> Sample:
    """Let a person choose a picture, and fit it to `size` = (height, width) in plain view. Its name is in the link, if
    it has one.
    """
    original = _chosen(source, dataset, size)
    if original.size == size:
        return original.sample(original.convert(size, None).image)
    return in_plain_view(original, size)


def comes_with_the_app(sample: Sample) -> bool:
    """Whether this is one of the app's own pictures."""
    return any(sample.name == each.name for source in (SIGNS, PHOTOGRAPHS) for each in _all_of(source))


def linked_picture() -> str:
    """The name of the picture that the link asks for; "" if it asks for none."""
    return said(PARAMETER)


def _source_of(name: str) -> str | None:
    if name in OWN.values():
        return next(source for source, marker in OWN.items() if marker == name)
    for source in (SIGNS, PHOTOGRAPHS):
        if any(sample.name == name for sample in _all_of(source)):
            return source
    if find_new_sign(name) is not None:
        return SIGNS
    return CIFAR10 if name.startswith("cifar10-") and cifar10_is_here() else None


def _all_of(source: str) -> Sequence[Sample]:
    return gallery() if source == SIGNS else photographs()


def cifar10_is_here() -> bool:
    """Whether CIFAR-10's pictures are on this computer."""
    try:
        return find_cifar10() is not None
    except ValueError:
        return False


def _chosen(source: str, dataset: str, size: tuple[int, int]) -> Original:
    if source == CIFAR10:
        sample = _from_cifar10()
    elif source in OWN:
        if own := _own(source, size):
            return own
        sample = _instead(dataset)
        st.caption(f"Shown until then: **{sample.caption or sample.name}**, which comes with the app.")
    else:
        samples = _all_of(source)
        if source == SIGNS and (new := find_new_sign(linked_picture())) is not None:
            samples = new, *samples
        names = [sample.name for sample in samples]
        usual = _all_of(source)[0].name
        chosen = linked(PARAMETER, names, usual)
        key = "gallery" if source == SIGNS else "photographs"
        thumbnails(samples, chosen, key=key, on_pick=lambda name: link(PARAMETER, name, ""))
        if linked_picture() in ("", *names):  # else the address stays, and what is said of it
            link(PARAMETER, chosen, usual if source == default_source(dataset) else "")
        sample = samples[names.index(chosen)]
    found = sample or _instead(dataset)
    return Original(
        tuple(found.image.shape[1:]),
        lambda size, resize: convert(to_uint8(found.image), size, resize),
        lambda image: replace(found, image=image),
    )


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


def _own(source: str, size: tuple[int, int]) -> Original | None:
    link(PARAMETER, OWN[source], "")
    camera = source == CAMERA and _camera_is_allowed()
    if source == CAMERA and not camera:
        st.info(
            "Browsers lend a page the camera only over https, or on the computer that runs the app, and this page came "
            "over http: take the picture with your device's own camera, and upload it here."
        )
    if camera:
        file = st.camera_input(f"Take a picture; {STAYS}", key="camera")
        files = [] if file is None else [file]
    else:
        files = st.file_uploader(
            f"A picture of your own, or up to {limits().pictures}; {STAYS}",
            SUFFIXES,
            accept_multiple_files=True,
            key="upload",
            on_change=restore_upload,
            max_upload_size=limits().picture_mb,
        )
    if not files and (brought := carried()):
        st.caption(f"Brought along from another page: **{plain(brought[0].name)}**.")
    pictures = own_pictures(files or carried())
    tell_problems(pictures)
    tell_restored()
    if not pictures:
        st.caption(
            "There is no picture of yours in this visit yet, and a link cannot hold one: "
            f"{'take' if camera else 'upload'} it here, also if you did so before."
        )
        return None
    chosen = choose_one(pictures, size)
    return None if chosen is None else chosen.original()


def _camera_is_allowed() -> bool:
    """Whether browsers lend their camera to the address that the page was opened with."""
    address = urlsplit(st.context.url or "")
    host = address.hostname or ""
    return address.scheme != "http" or host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
