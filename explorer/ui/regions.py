"""Where pixels may change: everywhere, inside or outside what was drawn, on the sign or beside it."""

from collections.abc import Sequence

import streamlit as st

from explorer.classifiers import Classifier
from explorer.pipeline.address import INSIDE
from explorer.regions import Corner, Region, Size
from explorer.samples import object_is_known, object_of
from explorer.types import Sample
from explorer.ui.link import bound, link, said, unlink
from explorer.ui.markdown import plain
from explorer.ui.pictures import Draw

EVERYWHERE, _, OUTSIDE, SIGN, NOT_SIGN = PLACES = (
    "Everywhere",
    INSIDE,
    "Outside the drawn region",
    "The sign",
    "Not the sign",
)
DRAWN = (INSIDE, OUTSIDE)
PARAMETER = "region"
MAX_LINK = 4000  # characters of a region's text: browsers and servers refuse addresses that are far longer


def choose_region(sample: Sample, clf: Classifier) -> tuple[Region | None, Draw | None]:
    """The pixels that may change, None for all of them; and, while a person draws, what hears of it."""
    size = tuple(clf.input_size)
    places = PLACES if object_is_known(sample) else (EVERYWHERE, *DRAWN)
    bound("where", places)
    where = st.selectbox("Where may it change?", places, key="where", bind="query-params")
    if where == EVERYWHERE:
        return None, None
    on_draw = _offer_drawing(size) if where in DRAWN else None
    try:
        region = _drawn(size) if where in DRAWN else object_of(sample, size)
        if region is not None and where in (OUTSIDE, NOT_SIGN):
            region = region.inverse
    except ValueError as error:
        st.error(plain(f"{error} Meanwhile, every pixel may change."))
        return None, on_draw
    if region is None:
        st.caption("Nothing is drawn yet, so every pixel may change.")
    else:
        st.caption(f"{region.n_pixels:,} of {size[0] * size[1]:,} pixels may change.")
    return region, on_draw


def allow_everywhere() -> None:
    """Before the page is drawn: no region, whatever was chosen."""
    st.session_state.where = EVERYWHERE
    unlink(PARAMETER)


def _offer_drawing(size: Size) -> Draw | None:
    """By hand, or by numbers; what hears of a drawn region, while one may draw."""
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    st.session_state.setdefault("drawing", not said(PARAMETER))  # who asks for a region wants to draw it
    _choose_box(size)
    with head:
        drawing = st.toggle("Draw a region", key="drawing", help="Drag around a part of the picture called Before.")
        if said(PARAMETER):
            st.button("Clear", on_click=unlink, args=[PARAMETER], help="Forget the drawn region.")
    return (lambda corners, add: _draw(corners, add, size)) if drawing else None


def _choose_box(size: Size) -> None:
    """A box by four numbers, for those who do not draw."""
    of = f"{size[0]}x{size[1]}"  # numbers for pictures of another size may be too large for these
    with st.expander("A box, by numbers"):
        left, right = st.columns(2)
        row = left.number_input("First row", 0, size[0] - 1, 0, key=f"box_row_{of}")
        col = right.number_input("First column", 0, size[1] - 1, 0, key=f"box_col_{of}")
        height = left.number_input("Rows", 1, size[0], size[0] // 2, key=f"box_height_{of}")
        width = right.number_input("Columns", 1, size[1], size[1] // 2, key=f"box_width_{of}")
        if st.button("Use this box", width="stretch"):
            try:
                _keep(Region.box(size, row, col, height, width))
            except ValueError as error:
                st.error(plain(error))


def _drawn(size: Size) -> Region | None:
    """The region that the link holds, if any. Raises ValueError if it is none, or one of pictures of another size."""
    text = said(PARAMETER)
    if not text:
        return None
    region = Region.parse(text)
    if region.size != size:
        raise ValueError(
            f"The drawn region is one of {region.height} × {region.width} pixels, but the network sees "
            f"{size[0]} × {size[1]}: clear it, or draw another."
        )
    link(PARAMETER, text, "")
    return region


def _draw(corners: Sequence[Corner], add: bool, size: Size) -> None:
    """Put what was drawn into the link: in the place of the region that is there, or added to it."""
    try:
        region = Region.polygon(size, corners)
        _keep(region | _drawn(size) if add and said(PARAMETER) else region)
    except ValueError as error:
        st.toast(plain(error))


def _keep(region: Region) -> None:
    text = region.text
    if len(text) > MAX_LINK:
        raise ValueError("The region is too intricate for the link: draw a simpler one.")
    link(PARAMETER, text, "")
