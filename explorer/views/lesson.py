"""The Lesson page: seven steps, each with something to read, to play with and to solve."""

import streamlit as st

from explorer.rooms import Lock
from explorer.samples import gallery
from explorer.ui.lesson.desk import NETWORKS, Desk
from explorer.ui.lesson.following import follow
from explorer.ui.lesson.keeping import keep_solved
from explorer.ui.lesson.sitting import Sitting, sitting
from explorer.ui.lesson.steps import MINUTES, STEPS, Step
from explorer.ui.link import link, linked, note_unknown, restore, tell_unmet
from explorer.ui.room.join import greet

STEP, LOCK = "step", "lock"
NUMBERS = [str(number) for number in range(1, len(STEPS) + 1)]


def page() -> None:
    restore((STEP, LOCK))
    me = sitting()
    with st.container(key="lesson"):
        greet(me)
        desk = Desk(number_of(me), me, lock_of(me))
        tell_unmet()
        step = STEPS[desk.step - 1]
        choose_step(desk)
        with st.container(key="lesson-bench"):
            left, right = st.columns([5, 9], gap="large")
        with left, st.container(key="lesson-read"):
            read(desk, step)
        with right, st.container(key="lesson-play"):
            played = step.play(desk)
        with left, st.container(key="lesson-judge"):
            judge(desk, step, played)
            deeper(desk, step)
    follow(desk.step)
    keep_solved(me, len(STEPS))


def number_of(me: Sitting) -> int:
    """Which step it is: the teacher's, or the link's."""
    return me.lock.step or int(linked(STEP, NUMBERS, NUMBERS[0]))


def lock_of(me: Sitting) -> Lock:
    """What is held in place: by the link, and by the room, which counts more."""
    text = linked(LOCK, _AnyText(), "")
    lock, unknown = Lock.parse(text, [sample.name for sample in gallery()], NETWORKS)
    for part in unknown:
        note_unknown(LOCK, part)
    return lock.under(me.lock)


class _AnyText:
    """Every text may be asked for here: Lock.parse says what it means."""

    def __contains__(self, text: str) -> bool:
        return True


def choose_step(desk: Desk) -> None:
    """The seven steps, with a tick on those that are solved."""
    st.session_state.lesson_step = NUMBERS[desk.step - 1]
    st.segmented_control(
        f"Lesson of {MINUTES} minutes: {len(desk.sitting.solved)} of {len(STEPS)} solved",
        NUMBERS,
        format_func=lambda number: _title(number, desk.sitting),
        required=True,
        wrap=True,
        key="lesson_step",
        on_change=lambda: link(STEP, st.session_state.lesson_step, NUMBERS[0]),
        disabled=desk.lock.step > 0,
    )


def _title(number: str, me: Sitting) -> str:
    return f"{number} {STEPS[int(number) - 1].title}{' ✓' if int(number) in me.solved else ''}"


def read(desk: Desk, step: Step) -> None:
    """What the step is about, and its task."""
    st.title(step.title, anchor=False)
    st.markdown(step.text)
    st.markdown(f"**Your task.** {step.task}")
    if desk.lock.step:
        st.caption("Your teacher has chosen this step for everybody.")
    if desk.lock.picture:
        st.caption("The sign was chosen for you.")


def judge(desk: Desk, step: Step, played: object) -> None:
    """Whether the task is solved, why, and the way on."""
    verdict = None if played is None else step.check(played)
    if verdict is not None and verdict.solved and desk.step not in desk.sitting.solved:
        desk.sitting.solved.add(desk.step)
        st.rerun()  # the list of steps, above, has its tick at once
    with st.container(key="task"):
        if verdict is None:
            st.info("Not yet. One moment: this is being worked out.")
        elif verdict.solved:
            st.success(f"**Solved.** {verdict.why}")
        else:
            st.info(f"**Not yet.** {verdict.why}")
        if verdict is not None and not verdict.solved and desk.step in desk.sitting.solved:
            st.caption("You have solved this step before.")
        turn(desk)


def deeper(desk: Desk, step: Step) -> None:
    """What is one click deeper: the formula, and what helps a teacher."""
    if desk.sees("formula"):
        with st.expander("One click deeper: the formula"):
            st.markdown(step.formula)
    if desk.sees("notes") and not desk.sitting.joined:
        with st.expander(f"Teacher's notes ({step.minutes} minutes)"):
            st.markdown(step.notes)


def turn(desk: Desk) -> None:
    """Back and on; at the end, what one has done."""
    if desk.lock.step:
        return
    solved = desk.step in desk.sitting.solved
    with st.container(horizontal=True):
        if desk.step > 1:
            st.button("Back", key="back", on_click=_go, args=[desk.step - 1])
        if desk.step < len(STEPS):
            title = STEPS[desk.step].title
            kind = "primary" if solved else "secondary"
            st.button(f"Next: {title}", key="next", type=kind, on_click=_go, args=[desk.step + 1])
    if len(desk.sitting.solved) == len(STEPS):
        st.markdown(
            f"**All {len(STEPS)} steps solved.** You have fooled a network, found out how, repaired it, and judged its "
            "defences. More on the page *Games*."
        )


def _go(step: int) -> None:
    link(STEP, NUMBERS[step - 1], NUMBERS[0])


page()
