"""The run before, kept for as long as the picture and the network stay."""

import streamlit as st

from explorer.pipeline import Exploration, Ghost
from explorer.pipeline.ghost import same_settings, same_subject

NOW, BEFORE = "ghost_now", "ghost_before"


def ghost_of(exploration: Exploration) -> Ghost | None:
    """What became of the pixels of the run before the one that is shown, if there was one."""
    state = st.session_state
    now = state.get(NOW)
    if now is None or not same_subject(now, exploration):
        state[BEFORE] = None
    elif not same_settings(now, exploration):
        state[BEFORE] = now
    state[NOW] = exploration
    before = state[BEFORE]
    return None if before is None else Ghost.of(before, exploration)
