"""Joining a room, and what one sees of being in it."""

from contextlib import suppress

import streamlit as st

from explorer.rooms import read_code, spelled
from explorer.rooms.room import NICKNAME
from explorer.ui.lesson.sitting import Sitting
from explorer.ui.link import link, said, unlink
from explorer.ui.markdown import plain
from explorer.ui.pages import LESSON
from explorer.ui.rooms import rooms

SEAT = "seat"
KEEP_SEAT = """
export default function ({ data, setTriggerValue }) {
  const name = "sparse-attack-explorer.seat";
  if (data.token) {
    sessionStorage.setItem(name, JSON.stringify([data.code, data.token]));
    return;
  }
  const [code, token] = JSON.parse(sessionStorage.getItem(name) ?? "[]");
  if (token && code === data.code) setTriggerValue("token", token);
}
"""

ROOM = "room"  # the link's parameter
HONEST = (
    "You may leave the name empty, or invent one: nobody asks for your real name. What the class sees of you is that "
    "name, how far you are, your predictions as one of many, and what you find. It is kept in the memory of the "
    "computer that runs this app, your teacher's, and is gone when the lesson ends."
)


def greet(me: Sitting) -> bool:
    """Where the visitor stands to a room: in one, asked into one by the link, or thrown out of one. Whether they are in
    one, or are asked to say their name.
    """
    if me.told:
        st.warning(plain(me.told))
        me.told = ""
        if not me.joined:
            unlink(ROOM)  # of the room that is gone
    code = said(ROOM)
    if me.joined:
        link(ROOM, me.code, "")  # so that one comes back after a reload
        _keep_seat(me, me.code)
        with st.container(horizontal=True, vertical_alignment="center", key="in-room"):
            st.markdown(f":green-badge[in room {spelled(me.code)}]", width="content")
            st.button("Leave the room", key="leave", type="tertiary", on_click=_leave, args=[me])
    elif code:
        try:
            rooms().view(code)
        except ValueError as error:
            st.error(plain(error))
            return False
        _keep_seat(me, read_code(code))
        join_form(me, code)
    return bool(me.joined or code)


def _keep_seat(me: Sitting, code: str) -> None:
    """Let the tab keep which member of this room it is, so that whoever loads the page anew is not somebody else."""

    def heard() -> None:
        token = st.session_state[SEAT].token
        if isinstance(token, str) and not me.joined:
            with suppress(ValueError):  # the seat of somebody who has left
                me.lock = rooms().come_back(code, token).lock
                me.code, me.token = code, token

    component = st.components.v2.component("kept_seat", js=KEEP_SEAT)
    component(key=SEAT, data={"code": code, "token": me.token}, on_token_change=heard)


def join_form(me: Sitting, code: str) -> None:
    """Name and, where the link does not say it, code."""
    with st.form("join", border=True):
        st.markdown("##### Join the room")
        typed = code or st.text_input("Code of the room", max_chars=12, key="join_code", placeholder="six characters")
        nickname = st.text_input("A name for today, or none", max_chars=NICKNAME, key="join_name")
        asked = st.form_submit_button("Join", type="primary")
        st.caption(HONEST)
    if asked:
        try:
            me.token = rooms().join(typed, nickname)
            me.code = read_code(typed)
            me.lock = rooms().view(me.code).lock
        except ValueError as error:
            st.error(plain(error))
            return
        st.switch_page(LESSON)


def _leave(me: Sitting) -> None:
    with suppress(ValueError):  # the room has ended
        rooms().leave(me.code, me.token)
    me.leave()
    unlink(ROOM)
