"""The Games page: guess a pixel's kind, and beat the attack by hand."""

import streamlit as st

from explorer.ui.games.beat import play_beat
from explorer.ui.games.kinds import play_kinds
from explorer.ui.lesson.sitting import sitting
from explorer.ui.link import link, linked, restore, tell_unmet

GAME = "game"
GAMES = {
    "kinds": (
        "Obscuring or leading?",
        "An attacked sign, and one of its changed pixels in a ring. Does it hide the true sign, or draw the wrong one? "
        "You say; then the pixel is put back, and the network decides.",
        play_kinds,
    ),
    "beat": (
        "Beat the attack",
        "You are the attacker: paint a few pixels by hand until the network sees another sign. It answers at once. Can "
        "you do with fewer than the computer?",
        play_beat,
    ),
}


def page() -> None:
    restore((GAME,))
    name = linked(GAME, GAMES, "kinds")
    tell_unmet()
    st.session_state.game = name
    with st.container(key="games"):
        st.segmented_control(
            "Game",
            list(GAMES),
            format_func=lambda each: GAMES[each][0],
            required=True,
            key="game",
            on_change=lambda: link(GAME, st.session_state.game, "kinds"),
        )
        title, told, play = GAMES[name]
        st.title(title, anchor=False)
        st.markdown(told)
        play(sitting())


page()
