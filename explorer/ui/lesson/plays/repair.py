"""Repair it: put pixels back until the network is sure again."""

import streamlit as st

from explorer.classifiers import Classifier
from explorer.pipeline import Exploration, WhatIf, fewest_back, percent, try_out
from explorer.ui.lesson.checks import SURE, Repaired
from explorer.ui.lesson.desk import Desk, live_bars, seen_in
from explorer.ui.lesson.explored import explored
from explorer.ui.markdown import plain
from explorer.ui.what_if import changes_picture


def play_repair(desk: Desk) -> Repaired | None:
    """The attacked picture, whose marks are put back by a click, beside what the network sees."""
    sign, clf, me = desk.choose_sign(), desk.classifier(), desk.sitting
    exploration = explored(clf, sign)
    if exploration is None:
        return None
    if exploration.evidence is None:
        return Repaired(0, 0, 0, "", "", 0.0)
    of = f"{desk.network} {sign}"
    state = WhatIf(me.back.get(of, frozenset()))

    def toggle(pixels: tuple[int, ...]) -> None:
        me.back[of] = state.toggled(pixels).back

    outcome = try_out(clf, exploration, state)
    left, right = st.columns([5, 4], gap="medium")
    with left:
        seen = seen_in(outcome, exploration.class_names)
        st.markdown(f"##### The network sees: {plain(seen)}")
        changes_picture(exploration, state, outcome.picture, seen, "repair-picture", toggle)
        st.button("Undo all", key="repair-undo", on_click=me.back.pop, args=[of, None], disabled=not state.back)
    with right:
        live_bars(outcome, exploration, "repair-bars")
        st.caption(
            f"Now {percent(outcome.probabilities[exploration.label])} sure of "
            f"{plain(exploration.class_names[exploration.label])}."
        )
    return Repaired(
        n_back=len(state.back),
        n_pixels=len(exploration.evidence.pixels),
        enough=_enough(clf, exploration, of),
        true=exploration.class_names[exploration.label],
        seen=exploration.class_names[outcome.label],
        share=float(outcome.probabilities[exploration.label]),
    )


def _enough(clf: Classifier, exploration: Exploration, of: str) -> int:
    """How many are enough: found once, and kept for the visit."""
    known = st.session_state.setdefault("lesson_enough", {})
    if of not in known:
        known[of] = fewest_back(clf, exploration, SURE)
    return known[of]
