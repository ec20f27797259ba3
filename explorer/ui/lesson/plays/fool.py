"""Fool it: choose a sign, press the button, see how few pixels it takes."""

import streamlit as st

from explorer.pipeline import look_at
from explorer.rooms import Find
from explorer.samples import find_sample
from explorer.ui.lesson.checks import Fooled
from explorer.ui.lesson.desk import Desk, seen_in, title_of
from explorer.ui.lesson.explored import explored
from explorer.ui.lesson.following import put_on_wall
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas, pictures


def play_fool(desk: Desk) -> Fooled | None:
    """The sign before, and after the button the attack on it."""
    sign, clf, me = desk.choose_sign(), desk.classifier(), desk.sitting
    attacked = f"{desk.network} {sign}"
    if attacked not in me.attacked:
        _clean(desk, sign)
        st.button("Fool the network", type="primary", key="fool", on_click=me.attacked.add, args=[attacked])
        return Fooled(me.fooled, desk.free)
    exploration = explored(clf, sign)
    if exploration is None:
        return None
    st.subheader(plain(exploration.story).replace(" %", "\u00a0%"), anchor=False)
    pictures(exploration, (), "lesson-pictures", None)
    if exploration.succeeded:
        me.fooled[sign] = exploration.n_pixels
        names = exploration.class_names
        find = Find(sign, exploration.n_pixels, names[exploration.label], names[exploration.adversarial_label])
        put_on_wall(me, find)
    return Fooled(me.fooled, desk.free, title_of(sign))


def _clean(desk: Desk, sign: str) -> None:
    clf, sample = desk.classifier(), find_sample(sign)
    outcome = look_at(clf, sample.image, sample.label)
    seen = seen_in(outcome, clf.class_names)
    pane = {
        "title": "Before",
        "text": f"The network sees: {seen}",
        "shows": "before",
        "alt": f"The clean sign. The network sees: {seen}.",
    }
    with st.container(width=420):
        canvas({"before": sample.image, "same": sample.image}, [pane], (), (), (), "", "lesson-clean", None)
