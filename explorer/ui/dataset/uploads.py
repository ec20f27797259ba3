"""A visitor's pictures for a study: kept for the visit, also while other pages are open, and nobody else's."""

import streamlit as st

from explorer.images import SUFFIXES, from_uint8
from explorer.limits import limits
from explorer.samples import Listed
from explorer.ui.own_pictures import OwnPicture

KEPT = "dataset_pictures"


def upload_pictures() -> list[Listed]:
    """Those that are kept, after a chance to bring others."""
    files = st.file_uploader(
        f"Up to {limits().pictures} pictures of your own; they stay on the computer that runs this app, in your visit",
        SUFFIXES,
        accept_multiple_files=True,
        key="dataset_upload",
        max_upload_size=limits().picture_mb,
    )
    known: dict[str, OwnPicture] = st.session_state.setdefault(KEPT, {})
    if files:
        if len(files) > limits().pictures:
            st.error(f"{len(files)} pictures are too many: the first {limits().pictures} are taken.")
        some = files[: limits().pictures]
        known = st.session_state[KEPT] = {each.file_id: known.get(each.file_id) or OwnPicture(each) for each in some}
    elif known:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{len(known)} pictures of yours are kept in this visit.", width="content")
            st.button("Forget them", on_click=known.clear, key="dataset-forget")
    return listed(kept())


def kept() -> list[OwnPicture]:
    """Those of this visit."""
    return [*st.session_state.get(KEPT, {}).values()]


def listed(pictures: list[OwnPicture]) -> list[Listed]:
    """As pictures of a study; of several with one name, the later ones have a number."""
    found: dict[str, Listed] = {}
    for picture in pictures:
        name = picture.file.encode(errors="replace").decode()
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = Listed(unique, lambda picture=picture: from_uint8(picture.pixels()))
    return [*found.values()]
