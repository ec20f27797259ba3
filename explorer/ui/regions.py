"""Where pixels may change: everywhere, inside or outside what was drawn, on the sign or beside it."""

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.classifiers import Classifier
from explorer.regions import Corner, Region, Size
from explorer.types import Sample
from explorer.ui.link import link, unlink

EVERYWHERE, INSIDE, OUTSIDE, SIGN, NOT_SIGN = PLACES = (
    "Everywhere",
    "Inside the drawn region",
    "Outside it",
    "The sign",
    "Not the sign",
)
DRAWN = (INSIDE, OUTSIDE)
PARAMETER = "region"
MAX_LINK = 4000  # characters of a region's text: browsers and servers refuse addresses that are far longer

Draw = Callable[[Sequence[Corner], bool], None]


def choose_region(sample: Sample, clf: Classifier) -> tuple[Region | None, Draw | None]:
    """The pixels that may change, None for all of them; and, while a person draws, what hears of it."""
    size = tuple(clf.input_size)
    rendered = "seed" in sample.meta
    places = PLACES if rendered else (EVERYWHERE, *DRAWN)
    where = st.selectbox("Where may it change?", places, key="where", bind="query-params")
    if where in (SIGN, NOT_SIGN):
        sign = Region.sign(sample.label, sample.meta["seed"], size)
        return (sign if where == SIGN else sign.inverse), None
    if where not in DRAWN:
        return None, None
    st.session_state.setdefault("drawing", not st.query_params.get(PARAMETER))  # who asks for a region wants to draw it
    drawing = st.toggle("Draw a region", key="drawing", help="Drag around a part of the picture called Before.")
    _choose_box(size)
    drawn = _drawn(size)
    on_draw = (lambda corners, add: _draw(corners, add, size)) if drawing else None
    if drawn is None:
        st.caption("Nothing is drawn yet, so every pixel may change.")
        return None, on_draw
    try:
        region = drawn if where == INSIDE else drawn.inverse
    except ValueError:
        st.error("The drawn region is the whole picture: nothing is left outside it.")
        return None, on_draw
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{region.told} of {size[0] * size[1]:,} may change.", width="stretch")
        st.button("Clear", on_click=unlink, args=[PARAMETER], help="Forget the drawn region.")
    return region, on_draw


def _choose_box(size: Size) -> None:
    """A box by four numbers, for those who do not draw."""
    with st.expander("A box, by numbers"):
        left, right = st.columns(2)
        row = left.number_input("First row", 0, size[0] - 1, 0, key=f"box_row_{size}")
        col = right.number_input("First column", 0, size[1] - 1, 0, key=f"box_col_{size}")
        height = left.number_input("Rows", 1, size[0], size[0] // 2, key=f"box_height_{size}")
        width = right.number_input("Columns", 1, size[1], size[1] // 2, key=f"box_width_{size}")
        if st.button("Use this box", width="stretch"):
            try:
                _keep(Region.box(size, row, col, height, width))
            except ValueError as error:
                st.error(str(error))


def _drawn(size: Size) -> Region | None:
    """The region that the link holds, if it is one of pictures of this size."""
    text = st.query_params.get(PARAMETER, "")
    if not text:
        return None
    try:
        region = Region.parse(text)
    except ValueError as error:
        st.error(str(error))
        return None
    if region.size != size:
        st.warning(
            f"The drawn region is one of {region.height} × {region.width} pixels, but the network sees "
            f"{size[0]} × {size[1]}: draw it anew."
        )
        return None
    link(PARAMETER, text, "")
    return region


def _draw(corners: Sequence[Corner], add: bool, size: Size) -> None:
    try:
        region = Region.polygon(size, corners)
        before = _drawn(size) if add else None
        _keep(region if before is None else region | before)
    except ValueError as error:
        st.toast(str(error))


def _keep(region: Region) -> None:
    text = region.text
    if len(text) > MAX_LINK:
        raise ValueError("The region is too intricate for the link: draw a simpler one.")
    link(PARAMETER, text, "")
