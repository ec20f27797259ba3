"""Where the picture comes from: a data set, photographs, a file, or the camera."""

from dataclasses import replace
from urllib.parse import urlsplit

import streamlit as st

from explorer.images import SUFFIXES, to_uint8
from explorer.limits import limits
from explorer.samples import DATA_SETS, DataSet, photographs
from explorer.types import Sample
from explorer.ui.data_sets import offer_pictures
from explorer.ui.fitting import Original, convert, in_plain_view
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.link import bound, link, linked, linked_number, note_unknown, said, unlink, whole
from explorer.ui.markdown import plain
from explorer.ui.own_pictures import carried, choose_one, let_go, offered, own_pictures, still_there, tell_problems
from explorer.ui.restore import restore_upload, tell_restored

PHOTOGRAPHS, UPLOAD, CAMERA = "Photographs", "Upload", "Camera"
PARAMETER = "picture"
OWN = {UPLOAD: "upload", CAMERA: "camera"}  # what the link says of a picture that it cannot hold
SHOWN = 54  # pictures of many at a time
ALL_CLASSES = "all, in turn"
MAX_SEED = 9999
STAYS = "it stays on the computer that runs this app"


def choose_source(dataset: str) -> str:
    """One of choices(): at first that of the link's picture; with a network of another data set, one that suits."""
    if "source" not in st.session_state:
        st.session_state.source = source_of(linked_picture()) or default_source(dataset)
    elif st.session_state.get("source_for", dataset) != dataset:
        suits = st.session_state.source in (UPLOAD, CAMERA, default_source(dataset))
        if not suits:
            st.session_state.source = default_source(dataset)
            unlink(PARAMETER)
    elif source := source_of(linked_picture()):  # after the browser's Back
        st.session_state.source = source
    st.session_state.source_for = dataset
    return st.segmented_control(
        "Picture", choices(), required=True, key="source", wrap=True, on_change=lambda: unlink(PARAMETER)
    )


def choices() -> tuple[str, ...]:
    """Data sets whose pictures come with the app, photographs, those that may have to be fetched, and one's own."""
    shown = [each for each in DATA_SETS.values() if each.sources]
    bundled, others = ([each.label for each in shown if bool(each.gallery()) is known] for known in (True, False))
    return (*bundled, PHOTOGRAPHS, *others, UPLOAD, CAMERA)


def default_source(dataset: str) -> str:
    """Where a network of this data set finds pictures of what it knows, as far as they are here."""
    of = DATA_SETS.get(dataset)
    return of.label if of is not None and of.here() else PHOTOGRAPHS


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
    every = (photographs(), *(each.gallery() for each in DATA_SETS.values()))
    return any(sample.name == each.name for some in every for each in some)


def linked_picture() -> str:
    """The name of the picture that the link asks for; "" if it asks for none."""
    return said(PARAMETER)


def source_of(name: str) -> str | None:
    """Which of choices() the picture that a link calls so comes from; None if nobody knows it."""
    if name in OWN.values():
        return next(source for source, marker in OWN.items() if marker == name)
    if any(sample.name == name for sample in photographs()):
        return PHOTOGRAPHS
    return next((each.label for each in DATA_SETS.values() if each.owns(name)), None)


def _chosen(source: str, dataset: str, size: tuple[int, int]) -> Original:
    of = next((each for each in DATA_SETS.values() if each.label == source), None)
    if source in OWN:
        if own := _own(source, size):
            return own
        sample = _instead(dataset)
        st.caption(f"Shown until then: **{sample.caption or sample.name}**, which comes with the app.")
    elif of is not None and not of.gallery():
        sample = _numbered(of)
    else:
        sample = _of_few(of, source == default_source(dataset))
    found = sample or _instead(dataset)
    return Original(
        tuple(found.image.shape[1:]),
        lambda size, resize: convert(to_uint8(found.image), size, resize),
        lambda image: replace(found, image=image),
    )


def _instead(dataset: str) -> Sample:
    """What is shown until there is the picture that was asked for."""
    gallery = DATA_SETS[dataset].gallery() if dataset in DATA_SETS else ()
    return (gallery or photographs())[0]


def _of_few(of: DataSet | None, usual_source: bool) -> Sample:
    """One of a data set's gallery, or of the photographs, all of which are shown."""
    few = photographs() if of is None else of.gallery()
    usual, samples, asked = few[0].name, few, linked_picture()
    if of is not None and asked not in {sample.name for sample in few} and (other := of.find(asked)) is not None:
        samples = other, *few
    names = [sample.name for sample in samples]
    chosen = linked(PARAMETER, names, usual)
    key = "photographs" if of is None else "gallery"
    thumbnails(samples, chosen, key=key, on_pick=lambda name: link(PARAMETER, name, ""))
    if asked in ("", *names):  # else the address stays, and what is said of it
        link(PARAMETER, chosen, usual if usual_source else "")
    return samples[names.index(chosen)]


def _numbered(of: DataSet) -> Sample | None:
    """One of a data set's many pictures, by class and at random; None where they are not here."""
    seed_key, class_key = (f"{of.link or of.name}_{name}" for name in ("seed", "class"))
    try:
        found = of.split()
        if found is None:
            offer_pictures(of)
            return None
        linked_number(seed_key, "Shuffle", whole(0, MAX_SEED), 0)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            bound(class_key, [ALL_CLASSES, *of.classes])
            name = st.selectbox("Class", [ALL_CLASSES, *of.classes], key=class_key, bind="query-params", width=180)
            seed = st.number_input("Shuffle", 0, MAX_SEED, 0, key=seed_key, bind="query-params", width=140)
        label = None if name == ALL_CLASSES else [*of.classes].index(name)
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
    thumbnails(samples, chosen.name, key=of.name, on_pick=lambda picked: link(PARAMETER, picked, ""))
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
        file = st.camera_input(f"Take a picture; {STAYS}", key="camera", on_change=let_go, args=["camera"])
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
    files = still_there("camera" if camera else "upload", files)
    if not files and (brought := carried()):
        st.caption(f"Brought along from another page: **{plain(brought[0].name)}**.")
    pictures = own_pictures(offered(files))
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
