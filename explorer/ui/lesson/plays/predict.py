"""Predict before you see: what will λ do, and which kind is this pixel?"""

import streamlit as st

from explorer.attacks import SparseAttack
from explorer.figures import count_bars
from explorer.pipeline import riddles
from explorer.ui.evidence import QUIET
from explorer.ui.lesson.checks import CHANGES, Predicted, change_of, kind_right
from explorer.ui.lesson.desk import Desk, choose
from explorer.ui.lesson.explored import explored
from explorer.ui.lesson.following import send_answer
from explorer.ui.lesson.riddle import KINDS, ask_kind, reveal_kind

FIRST = 1.0  # λ that is known
TRIED = (0.1, 3.0, 0.3)  # λ that are asked about, in turn
KIND = "This pixel: obscuring or leading?"


def play_predict(desk: Desk) -> Predicted | None:
    """Both questions, one under the other. An answer is locked in before the solution is shown."""
    sign = desk.choose_sign()
    strength = _strength(desk, sign)
    return Predicted(strength, _kind(desk, sign))


def _strength(desk: Desk, sign: str) -> bool | None:
    me, clf = desk.sitting, desk.classifier()
    usual = explored(clf, sign, SparseAttack(lam=FIRST, prune=False, polish=False))
    if usual is None:
        return None
    at = me.rounds.get("lambda", 0)
    lam = TRIED[at % len(TRIED)]
    question = f"λ from 1 to {lam:g}: how many pixels?"
    of = f"{question} {sign} {desk.network} {at}"
    st.markdown(
        f"##### 1. What will λ do?\nλ is the price of a pixel. At λ = 1 the first stage of the attack changes "
        f"**{usual.n_pixels} pixels** of this sign. Now λ becomes **{lam:g}**."
    )
    if of not in me.predictions:
        _predict(desk, question, of, CHANGES, "How many pixels will it change?")
        return None
    other = explored(clf, sign, SparseAttack(lam=lam, prune=False, polish=False))
    if other is None:
        return None
    counts = [usual.n_pixels, other.n_pixels]
    names = [f"λ = {FIRST:g}", f"λ = {lam:g}"]
    st.plotly_chart(
        count_bars(names, counts, "pixels"),
        key="lambda-bars",
        config=QUIET,
        alt=", ".join(f"{name}: {count} pixels" for name, count in zip(names, counts, strict=True)) + ".",
    )
    happened = change_of(*counts)
    right = me.predictions[of] == happened
    why = (
        "A low price: pixels cost next to nothing, so the attack takes many."
        if lam < FIRST
        else "A price that is too high pulls so hard that good pixels are let go as well, and others must stand in."
    )
    _tell(right, f"You said *{me.predictions[of]}*; it is **{happened}**: {counts[0]} → {counts[1]}. {why}")
    if not right:
        st.button("Another question about λ", key="lambda-next", on_click=_next, args=[desk, "lambda"])
    return right


def _kind(desk: Desk, sign: str) -> bool | None:
    me, clf = desk.sitting, desk.classifier()
    st.markdown("##### 2. Which kind is this pixel?")
    exploration = explored(clf, sign)
    if exploration is None:
        return None
    asked = riddles(exploration)
    if not asked:
        st.info("No pixel of this sign is clear enough to be asked about: choose another sign.")
        return None
    at = me.rounds.get("kind", 0)
    riddle = asked[at % len(asked)]
    of = f"kind {sign} {desk.network} {at}"
    left, right_side = st.columns([6, 5], gap="medium")
    with left:
        ask_kind(exploration, riddle, f"kind-board {sign}")
    with right_side:
        st.markdown(KINDS)
        if of not in me.predictions:
            _predict(desk, KIND, of, ("obscuring", "leading"), KIND)
            return None
        right = kind_right(me.predictions[of], riddle.kind)
        _tell(right, f"You said *{me.predictions[of]}*. {reveal_kind(exploration, riddle)}")
        if not right:
            st.button("Another pixel", key="kind-next", on_click=_next, args=[desk, "kind"])
    return right


def _predict(desk: Desk, question: str, of: str, options: tuple[str, ...], label: str) -> None:
    guess = choose(label, options, f"guess {of}")

    def lock_in() -> None:
        desk.sitting.predictions[of] = guess
        send_answer(desk.sitting, question, guess)

    st.button("Lock in my prediction", key=f"lock {of}", on_click=lock_in, disabled=guess is None, type="primary")


def _next(desk: Desk, name: str) -> None:
    desk.sitting.rounds[name] = desk.sitting.rounds.get(name, 0) + 1


def _tell(right: bool, text: str) -> None:
    st.markdown(
        f":{'green' if right else 'orange'}-badge[{'as predicted' if right else 'another than predicted'}] {text}"
    )
