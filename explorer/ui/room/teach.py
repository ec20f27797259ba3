"""The teacher's view: the way in for the class, what it does, and what is held in place."""

import base64
import html
import io
from contextlib import suppress

import segno
import streamlit as st

from explorer.limits import limits
from explorer.rooms import CONTROLS, Lock, Place, View, joining_at, spelled
from explorer.samples import gallery
from explorer.ui.lesson.desk import NETWORKS
from explorer.ui.lesson.plays.robust import NAMES
from explorer.ui.lesson.sitting import Sitting
from explorer.ui.lesson.steps import STEPS
from explorer.ui.link import unlink
from explorer.ui.markdown import plain
from explorer.ui.room.join import ROOM
from explorer.ui.room.wall import show_class
from explorer.ui.rooms import rooms

TAUGHT = "teach"  # the link's parameter: the code, so that a page that is loaded anew knows what it was
EVERY = 2.0  # seconds between two looks
ONLY_HERE = (
    "The app listens on this computer only, so nobody else can open this address. To share it, stop the app and start "
    "it with `python -m explorer serve --share`."
)


def teach(me: Sitting) -> None:
    """The whole view, for as long as the room is open."""
    code, key = me.taught
    try:
        view = rooms().attend(code, key)
    except ValueError:
        me.taught = ("", "")
        st.rerun()
    left, right = st.columns([5, 8], gap="large")
    with left:
        way_in(code)
        hold(code, key, view.lock)
        care(me, view)
    with right:
        _live(me)


@st.fragment(run_every=EVERY)
def _live(me: Sitting) -> None:
    try:
        view = rooms().attend(*me.taught)
    except ValueError:
        st.rerun()
    with st.container(horizontal=True):
        st.metric("Here now", len(view.members), width=140)
        st.metric("Joined", view.joined, width=140)
    show_class(view)


def way_in(code: str) -> None:
    """Code, address and QR code, large enough for the last row."""
    place = place_of_app()
    address = f"{place.url}/room?{ROOM}={code}"
    st.html(
        f'<div class="way-in"><p class="code" aria-label="Code of the room">{spelled(code)}</p>'
        f'<img alt="QR code of {html.escape(address)}" src="{qr(address)}">'
        f"<p>{html.escape(place.url)}/room</p></div>"
    )
    if not place.shared:
        st.warning(ONLY_HERE)
    st.caption(
        "Students scan the code, or open the address and type the six characters. *This computer* is yours: their "
        "pages run on it, and what they do stays in its memory until you end the room, "
        f"{limits().room_minutes} minutes pass, or the app stops. Nobody needs a real name, and only the app's own "
        "signs are on the wall."
    )


def place_of_app() -> Place:
    """Where this server can be found."""
    return joining_at(st.context.url or "", st.get_option("server.address"), st.get_option("server.port"))


def qr(address: str) -> str:
    """A QR code as an SVG picture in a data URL: dark on white on every page, as phones want it."""
    file = io.BytesIO()
    segno.make(address, error="m").save(file, kind="svg", scale=6, border=3, dark="#16151d", light="#ffffff")
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def hold(code: str, key: str, lock: Lock) -> None:
    """What is held in place for the class."""
    steps = {0: "everybody chooses", **{number: f"{number} {step.title}" for number, step in enumerate(STEPS, 1)}}
    pictures = ["", *(sample.name for sample in gallery())]

    def changed() -> None:
        hidden = frozenset(CONTROLS) - frozenset(st.session_state.hold_seen)
        picked = st.session_state
        with suppress(ValueError):  # the room has ended: the page that follows says so
            rooms().hold(code, key, Lock(picked.hold_step, picked.hold_picture, picked.hold_network, hidden))

    st.session_state.setdefault("hold_step", lock.step)
    st.session_state.setdefault("hold_picture", lock.picture)
    st.session_state.setdefault("hold_network", lock.network)
    st.session_state.setdefault("hold_seen", [name for name in CONTROLS if name not in lock.hidden])
    st.markdown("##### For everybody")
    st.selectbox("Step", list(steps), format_func=steps.get, key="hold_step", on_change=changed)
    st.selectbox(
        "Sign", pictures, format_func=lambda name: name or "everybody chooses", key="hold_picture", on_change=changed
    )
    st.selectbox(
        "Network",
        ["", *NETWORKS],
        format_func=lambda name: NAMES.get(name, name) or "as the lesson says",
        key="hold_network",
        on_change=changed,
    )
    st.pills(
        "What is seen", list(CONTROLS), selection_mode="multi", wrap=True, format_func=CONTROLS.get, key="hold_seen",
        on_change=changed,
    )  # fmt: skip
    text = lock.text()
    if text or lock.step:
        step = f"step={lock.step or 1}"
        st.caption(f"Without a room, this link does the same: `lesson?{step}{'&lock=' + text if text else ''}`")


def care(me: Sitting, view: View) -> None:
    """Names and finds that are better not shown, the key, and the end."""
    code, key = me.taught
    with st.expander("Names and wall", key="names-and-wall", on_change="rerun"):  # as they are when it is opened
        if st.button("Look again", key="look-again", help="Who has come since this list was made"):
            st.rerun()
        named = {
            each.number: f"No. {each.number}: {each.name}" for each in view.members if each.nickname and not each.hidden
        }
        number = st.selectbox("Hide a name", list(named), format_func=named.get, key="hide_number", index=None)
        if st.button("Hide", key="hide", disabled=number is None):
            rooms().hide_name(code, key, number)
            st.rerun()
        entries = {
            (each.member, each.find.picture): f"No. {each.member}: {each.name}: {each.find.picture}"
            for each in view.wall
        }
        entry = st.selectbox("Take off the wall", list(entries), format_func=entries.get, key="off_entry", index=None)
        if st.button("Take off", key="take-off", disabled=entry is None):
            rooms().take_down(code, key, *entry)
            st.rerun()
    with st.expander("Your key, to come back"):
        st.text_input(
            "The teacher's key", key, type="password", key=f"own-key-{code}",
            help="Whoever has it can lead this room: show it to nobody.",
        )  # fmt: skip
        st.caption("If you close this page, open *Room* again and give the code and this key.")
    with st.popover("End the room"):
        st.markdown("Everything that the room knows is forgotten, for everybody.")
        st.button("End it now", key="end-room", type="primary", on_click=_end, args=[me])


def tell_taught(me: Sitting, code: str) -> None:
    """To a teacher whose page was loaded anew: the room that it led goes on with the key, or is gone."""
    try:
        view = rooms().view(code)
    except ValueError:
        st.warning(
            f"The room {plain(code[:12])} is gone: it has ended, or the app was started again. A room lives in the "
            "app's memory, and what the class said and found went with it; each student's page still knows what was "
            "solved on it. Open a new room: the class joins with its new code."
        )
        return
    st.info(f"Room {spelled(view.code)} goes on. To lead it again, give its key.")
    return_form(me, view.code)


def return_form(me: Sitting, known: str = "") -> None:
    """For a teacher whose page was closed, or, where the code is `known`, loaded anew."""
    with st.expander("Come back to a room that you opened", expanded=bool(known)), st.form("return", border=False):
        code = st.text_input("Code of the room", known, max_chars=12, key="return_code")
        key = st.text_input("Your key", type="password", max_chars=40, key="return_key")
        if st.form_submit_button("Come back"):
            try:
                view = rooms().attend(code, key)
            except ValueError as error:
                st.error(plain(error))
                return
            me.taught = (view.code, key)
            st.rerun()


def _end(me: Sitting) -> None:
    code, key = me.taught
    me.taught = ("", "")
    unlink(TAUGHT)
    for name in [name for name in st.session_state if str(name).startswith("hold_")]:
        del st.session_state[name]
    try:
        rooms().end(code, key)
    except ValueError as error:
        me.told = str(error)
