"""Find the pixel: look for what was changed, with one's own eyes."""

from collections.abc import Collection

import streamlit as st

from explorer.grid import changed_pixels
from explorer.ui.board import Ring, board
from explorer.ui.lesson.checks import Found
from explorer.ui.lesson.desk import Desk
from explorer.ui.lesson.explored import explored
from explorer.ui.markdown import plain

SHOWN = 8  # misses that stay on the picture
HINT = "Click or tap where you think a pixel was changed. By keyboard: arrows move, Enter points."


def play_find(desk: Desk) -> Found | None:
    """The attacked picture to point at, and the clean one in its place while the switch is on."""
    sign, me = desk.choose_sign(), desk.sitting
    exploration = explored(desk.classifier(), sign)
    if exploration is None:
        return None
    of = f"{desk.network} {sign}"
    changed = changed_pixels(exploration.image, exploration.adversarial).nonzero().tolist()
    found = Found(frozenset(map(tuple, changed)), me.clicks.get(of, ()))

    def click(places: Collection[tuple[int, int]]) -> None:
        me.clicks[of] = (*me.clicks.get(of, ()), *places)

    before = desk.sees("blink") and st.toggle("Show the picture before", key="blink", help="Switch it on and off.")
    names = exploration.class_names
    seen = names[exploration.label] if before else names[exploration.adversarial_label]
    misses = [place for place in found.clicks if found.near(place) is None][-SHOWN:]
    with st.container(width=560):
        board(
            exploration.image if before else exploration.adversarial,
            "find-board",
            click,
            name=of,
            title="Before" if before else "After",
            text=f"The network sees: {seen}",
            alt=f"The {'clean' if before else 'attacked'} sign. Arrow keys move, Enter points, + and - zoom.",
            hint=HINT,
            rings=[*(Ring(*place, hit=True) for place in found.hits), *(Ring(*place, hit=False) for place in misses)],
        )
    st.button("Start again", key="find-again", on_click=me.clicks.pop, args=[of, None], disabled=not found.clicks)
    if not exploration.succeeded:
        st.caption(plain("The network is not fooled here, but the pixels were changed."))
    return found
