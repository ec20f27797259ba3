"""Which stage of the attack is shown: its own steps while a slider is being turned, else the last one, or one's choice.

The choice is in the link, as `stage=optimised`; nothing there means the last stage.
"""

import streamlit as st

from explorer.attacks import Attack
from explorer.pipeline import Exploration
from explorer.types import STAGES
from explorer.ui.link import link, linked, said, unlink
from explorer.ui.words import STAGE_WORDS

PARAMETER = "stage"
OWN = STAGES[0]  # the attack's own steps, where its main knobs act
BEFORE = "optimised"  # the switch that older links have instead
KEY = "stage_choice"
PINNED = "stage_pinned"  # the visitor has chosen: turning a slider leaves it at that


def planned(attack: Attack) -> tuple[str, ...]:
    """The stages that this attack will go through."""
    later = {"pruned": attack.prune, "polished": attack.polish, "random": attack.random_queries}
    return (OWN, *(name for name, runs in later.items() if runs))


def asked_stage(attack: Attack) -> str | None:
    """The stage to show; None for the last."""
    if before := said(BEFORE):
        if before.lower() == "true":
            link(PARAMETER, OWN, "")
        unlink(BEFORE)
    name = linked(PARAMETER, STAGES, "")
    return name if name in planned(attack)[:-1] else None


def turned() -> None:
    """A main knob was turned: from now on its own stage is shown, where it acts, unless another was asked for."""
    if not st.session_state.get(PINNED):
        link(PARAMETER, OWN, "")


def show_last() -> None:
    """Forget what was chosen."""
    st.session_state[PINNED] = False
    unlink(PARAMETER)


def choose_stage(exploration: Exploration) -> None:
    """The count of every stage in a row, the shown one marked; a click shows another."""
    counts = {name: int(n) for name, n in exploration.result.stage_pixels().items()}
    last = [*counts][-1]

    def choose() -> None:
        st.session_state[PINNED] = True
        link(PARAMETER, st.session_state[KEY], last)

    st.session_state[KEY] = exploration.stage
    arrows = {name: "→ " if place else "" for place, name in enumerate(counts)}
    st.segmented_control(
        "Changed pixels after each stage",
        list(counts),
        format_func=lambda name: f"{arrows[name]}{STAGE_WORDS.get(name, name)} **{counts[name]:,}**",
        required=True,
        key=KEY,
        on_change=choose,
        label_visibility="collapsed",
        help="Changed pixels after each stage; a click shows that stage.",
    )
