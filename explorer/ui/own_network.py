"""Weights of one's own by upload: they stay in this visitor's session, and are never run as code."""

import copy
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
import torch

from explorer.classifiers import CLASSIFIERS, Classifier, load_own_weights, torchvision_names
from explorer.classifiers.imagenet import COMMON
from explorer.limits import limits
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import DATA_SETS, ImageNet, title_of
from explorer.ui.arrival import arrival_of, show_arrival, show_mapping
from explorer.ui.caches import seconds_per_step
from explorer.ui.markdown import plain
from explorer.ui.session import session
from explorer.ui.uploads import uploads

NONE, CUSTOM = "none", "custom"  # normalisations that are no data set's
LISTED = "a list"
FORM = "own-weights"  # the key of what asks for them
ARRIVED = "own-arrived"  # they have just been loaded
RENORMALISED = "-renormalised"


def uploaded_network(device: str) -> Classifier | None:
    """The network of this visitor on this device; None until there is one."""
    me = session()
    if st.session_state.pop(ARRIVED, False):
        st.session_state[FORM] = False  # it has done its work
    with st.expander("Your own weights", expanded=me.own is None, key=FORM, on_change="rerun"):
        asked = _form()
    if asked is not None:
        _take(_load(device, *asked), asked[-1])
    if me.own is None:
        return None
    me.own = uploads().on_device(me.own, device)
    if show_arrival(me.own, _in_use(me.own, me.own_file), None):
        _take(_renormalised(me.own), me.own_file)
    show_mapping(me.own)
    return me.own


def _take(clf: Classifier | None, file: str) -> None:
    """From now on the visitor's network is this one; None: it stays as it was, and what was wrong has been said."""
    me = session()
    if clf is None:
        return
    me.own, me.own_file = clf, file
    st.session_state[ARRIVED] = True
    st.rerun()  # what it was trained on decides which pictures are offered


def _in_use(clf: Classifier, file: str) -> str:
    n, (height, width) = len(clf.class_names), clf.input_size
    classes = f"{n:,} classes" + (f" of {title_of(clf.dataset)}" if clf.dataset in DATA_SETS else "")
    return f"In use: {file} as {clf.name}, {classes}, {width} × {height} pixels."


def _renormalised(clf: Classifier) -> Classifier | None:
    """The same weights with the better mean and standard deviation of the first look."""
    better = arrival_of(clf).better

    def make() -> Classifier:
        other = copy.deepcopy(read_only_twin(clf))
        for buffer, values in ((other.mean, better.mean), (other.std, better.std)):
            buffer.copy_(torch.tensor(values).view_as(buffer))
        other.name = f"{clf.name.removesuffix(RENORMALISED)}{RENORMALISED}"
        return other

    return _admitted(make, sum(tensor.nbytes for tensor in clf.state_dict().values()))


def _form() -> tuple | None:
    """What a person says of the weights, once they ask for it; None before."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        file = st.file_uploader(
            "Weights, as safetensors; they stay on the computer that runs this app",
            ["safetensors"],
            key="own_file",
            max_upload_size=limits().network_mb,
        )
        st.caption(
            '`safetensors.torch.save_file(model.state_dict(), "mine.safetensors")` writes such a file. Files of '
            "torch.save are refused: they can run code."
        )
    with middle:
        architecture = st.selectbox("Architecture", architectures(), key="own_architecture")
        known = st.selectbox(
            "Classes",
            [*DATA_SETS, LISTED],
            [*DATA_SETS].index(ImageNet.name),
            format_func=lambda each: DATA_SETS[each].counted if each in DATA_SETS else each,
            key="own_known",
        )
        if known == LISTED:
            lines = st.text_area("One class per line, in the order of the network's outputs", key="own_classes")
            classes: list[str] | str = [line.strip() for line in lines.splitlines() if line.strip()]
        else:
            classes = known
    with right:
        mean, std = _normalisation()
        side = st.number_input("Side of its pictures, in pixels; 0: as usual for it", 0, 1024, 0, key="own_side")
        rotated = st.toggle(
            "Kernels are stored turned by 180°",
            key="own_rotated",
            help="Some conversions from other libraries do that; the picture is then turned before the network.",
        )
    if not st.button("Use these weights", type="primary", disabled=file is None, key="own_use"):
        return None
    return file.getvalue(), architecture, classes, mean, std, (side, side) if side else None, rotated, file.name


def _normalisation() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation that the network expects its pictures normalised by."""
    usual = {each.label: each.usual or (each.mean, each.std) for each in DATA_SETS.values()}
    chosen = st.segmented_control(
        "Pictures normalised as for",
        [*usual, NONE, CUSTOM],
        default=ImageNet.label,
        required=True,
        key="own_norm",
        wrap=True,
    )
    if chosen == CUSTOM:
        return _three("Mean", 0.5), _three("Standard deviation", 0.25)
    return usual.get(chosen, ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))


def _three(label: str, value: float) -> tuple[float, ...]:
    with st.container(horizontal=True):
        return tuple(
            st.number_input(f"{label}, {channel}", 0.0, 1.0, value, 0.001, "%.4f", key=f"own_{label}_{channel}")
            for channel in ("red", "green", "blue")
        )


def architectures() -> list[str]:
    """The common ones of torchvision, the bundled ones, then the rest."""
    bundled = [card.name for card in CLASSIFIERS.values() if card.source == "bundled"]
    return [*COMMON, *bundled, *(name.partition(":")[2] for name in torchvision_names())]


def _load(device: str, content: bytes, *said: Any) -> Classifier | None:
    *said, _file = said
    architecture, classes, mean, std, size, rotated = said
    digest = hashlib.sha256(content + repr(said).encode()).hexdigest()
    load = partial(
        load_own_weights,
        content,
        architecture,
        classes,
        mean,
        std,
        size,
        rotated=rotated,
        name=f"your-{architecture}-{digest[:8]}",
        max_bytes=limits().network_mb * 10**6,
    )
    return _admitted(lambda: load().to(device), len(content))


def _admitted(load: Callable[[], Classifier], n_bytes: int) -> Classifier | None:
    """The network, if there is room for it and it works; None, and a sentence, if not."""
    try:
        clf = uploads().admit(load, n_bytes, before=session().own)
        with as_one_sentence():
            seconds_per_step(clf)
        return clf
    except ValueError as error:
        st.error(plain(error))
        return None
