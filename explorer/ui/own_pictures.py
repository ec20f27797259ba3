"""The pictures that a visitor has uploaded: each is read when it is needed, and kept in the network's size."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.images import Resize, load_pixels, with_pixels
from explorer.limits import limits
from explorer.pipeline import Picture
from explorer.regions import Size
from explorer.types import Sample
from explorer.ui.fitting import Conversion, Original, convert
from explorer.ui.gallery import gallery as thumbnails
from explorer.ui.markdown import plain
from explorer.ui.turns import turns

TOLD = 3  # files that cannot be read and are named


class OwnPicture:
    """A file of a picture."""

    def __init__(self, file: "UploadedFile | CarriedFile") -> None:
        self.id, self.file, self._content = file.file_id, file.name, file
        self.problem, self.size = "", (0, 0)
        content = file.getvalue()
        self.name = hashlib.sha256(file.name.encode(errors="replace") + b"\0" + content).hexdigest()[:24]
        self._kept: tuple[tuple[Size, Resize | None], Conversion] | None = None
        try:
            if len(content) > (most := limits().picture_mb) * 2**20:
                raise ValueError(f"The file has {len(content) / 2**20:,.0f} MB; at most {most} are read.")
            with turns.away():  # large pictures are decoded one at a time
                self.size = with_pixels(content, lambda pixels: pixels.shape[:2])
        except ValueError as error:
            self.problem = str(error)

    def pixels(self) -> np.ndarray:
        """The picture, (h, w, 3) uint8, in its own size. Raises ValueError with one sentence."""
        if self.problem:
            raise ValueError(self.problem)
        return load_pixels(self._content.getvalue())

    def convert(self, size: Size, resize: Resize | None) -> Conversion:
        """As the network sees it: the last one is kept, the picture, which may be large, is not."""
        if self._kept is None or self._kept[0] != (size, resize):
            content = self._content.getvalue()
            with turns.away():
                made = with_pixels(content, lambda pixels: convert(pixels, size, resize))
            self._kept = (size, resize), made
        return self._kept[1]

    def small(self, size: Size) -> Sample:
        """The picture to choose by, about as the network sees it."""
        kept = self._kept[1] if self._kept else self.convert(size, None)
        return Sample(self.name, kept.image, caption=self.file)

    def original(self) -> Original:
        """The picture as it came."""
        return Original(
            self.size, self.convert, lambda image: Sample("picture", image, caption=self.file or "Your picture")
        )

    def one_of_many(self, resize: Resize | None) -> Picture:
        """The picture to be attacked with the others."""
        return Picture(self.file, self.pixels, resize=resize)


def own_pictures(files: "Sequence[UploadedFile | CarriedFile]") -> list[OwnPicture]:
    """The pictures in these files, each of which is looked at once. What cannot be read is said."""
    known: dict[str, OwnPicture] = st.session_state.get("own_pictures", {})
    kept = {file.file_id: known.get(file.file_id) or OwnPicture(file) for file in files}
    st.session_state.own_pictures = kept
    return [*kept.values()]


@dataclass(frozen=True)
class CarriedFile:
    """A picture that another page brings along, as if it had been uploaded here."""

    file_id: str
    name: str
    content: bytes

    def getvalue(self) -> bytes:
        return self.content


def carry(name: str, content: bytes) -> None:
    """Before Explore is opened: this picture's file is to be there, until others are uploaded."""
    st.session_state.carried = CarriedFile(hashlib.sha256(content).hexdigest(), name, content)


def keep_beside(beside: bool) -> None:
    """Before Explore is drawn: whether what is carried is offered beside uploads, and not only until there are some."""
    st.session_state.carried_beside = beside


def offered(files: Sequence[UploadedFile]) -> "Sequence[UploadedFile | CarriedFile]":
    """What a person can choose among: of these uploads, as many as a visitor may have, and what is carried."""
    most = limits().pictures
    if len(files) > most:
        st.error(f"{len(files)} pictures are too many: the first {most} are taken.")
        files = files[:most]
    return [*files, *carried()] if st.session_state.get("carried_beside") else files or carried()


def carried() -> list[CarriedFile]:
    """What another page has brought along in this visit."""
    return [st.session_state.carried] if "carried" in st.session_state else []


def still_there(key: str, files: Sequence[UploadedFile]) -> Sequence[UploadedFile]:
    """What the control of this key was given. A control that was not drawn meanwhile, as on another page, is empty."""
    given = st.session_state.setdefault("given_files", {})
    if files:
        given[key] = [*files]
    elif kept := given.get(key):
        names = ", ".join(f"**{plain(file.name)}**" for file in kept[:TOLD]) + ", …" * (len(kept) > TOLD)
        st.caption(f"From before in this visit: {names}. What is added here takes their place.")
    return given.get(key, [])


def let_go(key: str) -> None:
    """What this control was given counts no more: the visitor has changed it, or wants to see another picture."""
    st.session_state.get("given_files", {}).pop(key, None)


def uploaded() -> list[OwnPicture]:
    """Those that are there now."""
    return [*st.session_state.get("own_pictures", {}).values()]


def tell_problems(pictures: Sequence[OwnPicture]) -> None:
    """One sentence about what cannot be read."""
    bad = [picture for picture in pictures if picture.problem]
    if not bad:
        return
    if len(pictures) == 1:
        st.error(f"{plain(bad[0].problem)} Another picture is shown instead.")
        return
    told = "; ".join(f"{picture.file}: {picture.problem}" for picture in bad[:TOLD])
    st.error(plain(told + (f"; and {len(bad) - TOLD} more." if len(bad) > TOLD else "")))


def choose_one(pictures: Sequence[OwnPicture], size: Size) -> OwnPicture | None:
    """One of those that can be read, from a strip if there are several; None if there is none."""
    good = {picture.name: picture for picture in pictures if not picture.problem}
    if len(good) < 2:
        return next(iter(good.values()), None)
    if st.session_state.get("own_chosen") not in good:
        st.session_state.own_chosen = next(iter(good))
    samples = [picture.small(size) for picture in good.values()]
    thumbnails(samples, st.session_state.own_chosen, key="own-strip", on_pick=_choose)
    return good[st.session_state.own_chosen]


def _choose(name: str) -> None:
    st.session_state.own_chosen = name
