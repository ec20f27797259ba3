"""Weights of one's own by upload: they stay in this visitor's session, and are never run as code."""

import hashlib
from functools import partial
from typing import Any

import streamlit as st

from explorer.classifiers import CLASSIFIERS, Classifier, load_own_weights, torchvision_names
from explorer.classifiers.imagenet import COMMON
from explorer.classifiers.own import UPLOAD_BYTES
from explorer.memory import as_one_sentence
from explorer.ui.caches import seconds_per_step
from explorer.ui.markdown import plain
from explorer.ui.session import session
from explorer.ui.uploads import uploads

NORMALISATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]] | None] = {
    "ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "CIFAR-10": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "custom": None,
}
KNOWN_CLASSES = {"imagenet": "ImageNet's 1,000", "cifar10": "CIFAR-10's 10", "signs": "the 18 road signs"}
LISTED = "a list"


def uploaded_network(device: str) -> Classifier | None:
    """The network of this visitor on this device; None until there is one."""
    me = session()
    with st.expander("Your own weights", expanded=me.own is None, key="own-weights"):
        asked = _form()
        if me.own is not None:
            st.caption(plain(f"In use: {me.own.name}, {len(me.own.class_names):,} classes. {me.own.remark}"))
    if asked is not None:
        me.own = _load(device, *asked)
        if me.own is not None:
            st.rerun()  # what it was trained on decides which pictures are offered
    if me.own is not None:
        me.own = uploads().on_device(me.own, device)
    return me.own


def _form() -> tuple | None:
    """What a person says of the weights, once they ask for it; None before."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        file = st.file_uploader(
            "Weights, as safetensors; they stay on the computer that runs this app",
            ["safetensors"],
            key="own_file",
            max_upload_size=UPLOAD_BYTES // 10**6,
        )
        st.caption(
            '`safetensors.torch.save_file(model.state_dict(), "mine.safetensors")` writes such a file. Files of '
            "torch.save are refused: they can run code."
        )
    with middle:
        architecture = st.selectbox("Architecture", architectures(), key="own_architecture")
        known = st.selectbox(
            "Classes", [*KNOWN_CLASSES, LISTED], format_func=lambda each: KNOWN_CLASSES.get(each, each), key="own_known"
        )
        if known == LISTED:
            lines = st.text_area("One class per line, in the order of the network's outputs", key="own_classes")
            classes: list[str] | str = [line.strip() for line in lines.splitlines() if line.strip()]
        else:
            classes = known
    with right:
        normalisation = st.segmented_control(
            "Pictures normalised as for", list(NORMALISATIONS), default="ImageNet", required=True, key="own_norm"
        )
        mean, std = NORMALISATIONS[normalisation] or (_three("Mean", 0.5), _three("Standard deviation", 0.25))
        side = st.number_input("Side of its pictures, in pixels; 0: as usual for it", 0, 1024, 0, key="own_side")
        rotated = st.toggle(
            "Kernels are stored turned by 180°",
            key="own_rotated",
            help="Some conversions from other libraries do that; the picture is then turned before the network.",
        )
    if not st.button("Use these weights", type="primary", disabled=file is None, key="own_use"):
        return None
    return file.getvalue(), architecture, classes, mean, std, (side, side) if side else None, rotated


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
    architecture, classes, mean, std, size, rotated = said
    digest = hashlib.sha256(content + repr(said).encode()).hexdigest()
    try:
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
            max_bytes=UPLOAD_BYTES,
        )
        clf = uploads().admit(lambda: load().to(device), len(content), before=session().own)
        with as_one_sentence():
            seconds_per_step(clf)
        return clf
    except ValueError as error:
        st.error(plain(error))
        return None
