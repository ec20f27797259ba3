"""The Room page: a class follows the lesson together. The teacher opens it, students join with its code."""

import streamlit as st

from explorer.ui.lesson.sitting import Sitting, sitting
from explorer.ui.link import link_here, said
from explorer.ui.pages import LESSON
from explorer.ui.room.join import greet, join_form
from explorer.ui.room.teach import TAUGHT, return_form, teach, tell_taught
from explorer.ui.room.wall import show_class
from explorer.ui.rooms import rooms

EVERY = 3.0  # seconds between two looks of a member


def page() -> None:
    me = sitting()
    with st.container(key="room"):
        if me.taught[0]:
            link_here(TAUGHT, me.taught[0])
            teach(me)
            return
        if said(TAUGHT):
            tell_taught(me, said(TAUGHT))
        asked = greet(me)
        if me.joined:
            st.page_link(LESSON, label="To the lesson")
            member(me)
        elif not asked:
            enter(me)


def enter(me: Sitting) -> None:
    """Two doors: for students, and for the teacher."""
    st.title("A room for the class", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        join_form(me, "")
    with right, st.container(border=True):
        st.markdown("##### Open a room")
        st.markdown(
            "For the teacher. You get a code and an address for the screen, see how far the class is, what it predicts "
            "and what it finds, and can keep everybody at one step, with one sign or one network. Nothing is stored: a "
            "room lives in this computer's memory and ends with the lesson."
        )
        st.button("Open a room", key="open-room", type="primary", on_click=_open, args=[me])
        if not said(TAUGHT):
            return_form(me)


@st.fragment(run_every=EVERY)
def member(me: Sitting) -> None:
    """What the class sees of itself. Who stays here is at no step, and soon not counted as here."""
    try:
        show_class(rooms().view(me.code))
    except ValueError as error:
        me.leave(str(error))
        st.rerun()


def _open(me: Sitting) -> None:
    try:
        me.taught = rooms().open()
    except ValueError as error:
        me.told = str(error)  # `greet` escapes it


page()
