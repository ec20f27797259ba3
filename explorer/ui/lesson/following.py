"""What the lesson tells the room, and hears from it, where the visitor is in one."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from explorer.rooms import Find
from explorer.ui.lesson.sitting import Sitting, sitting
from explorer.ui.rooms import rooms

EVERY = 4.0  # seconds between two looks


def follow(step: int) -> None:
    """Say where the visitor stands, and take over what the teacher holds in place; every few seconds, in a room."""
    if sitting().joined:
        _look(step)


@st.fragment(run_every=EVERY)
def _look(step: int) -> None:
    me = sitting()
    if not me.joined:
        return
    try:
        view = rooms().stand(me.code, me.token, step, me.solved)
    except ValueError as error:
        me.leave(str(error))
        st.rerun()
    if view.lock != me.lock:
        me.lock = view.lock
        st.rerun()


def send_answer(me: Sitting, question: str, choice: str) -> None:
    """A prediction, for the class's bars."""
    if me.joined:
        _send(me, lambda: rooms().answer(me.code, me.token, question, choice))


def put_on_wall(me: Sitting, find: Find) -> None:
    """A find, for the class's wall; a funny one when the student says so."""
    if not me.joined:
        return
    _send(me, lambda: rooms().find(me.code, me.token, find))

    def nominate() -> None:
        _send(
            me,
            lambda: rooms().find(me.code, me.token, replace(find, funny=True)),
        )

    st.button("That is funny: show it to the class", key="funny", on_click=nominate)


def _send(me: Sitting, deed: Callable[[], object]) -> None:
    try:
        deed()
    except ValueError as error:
        me.told = str(error)
