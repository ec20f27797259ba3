"""A changed pixel in a ring: which kind is it? Putting it back is the judge, not the label."""

import streamlit as st

from explorer.palette import kind_text
from explorer.pipeline import Exploration, Riddle
from explorer.ui.board import Ring, board
from explorer.ui.markdown import plain

KINDS = """
**Obscuring** ● hides what is there: put back, the *true* sign's score gains most.

**Leading** ◆ shows what is not there: put back, the *wrong* sign's score loses most.
"""


def ask_kind(exploration: Exploration, riddle: Riddle, key: str) -> None:
    """The picture with a ring around the pixel, and what was changed about it."""
    pixel = exploration.evidence.pixels[riddle.pixel]
    names = [exploration.class_names[each] for each in (exploration.label, exploration.adversarial_label)]
    before = st.toggle("Show the picture before", key=f"{key}-before")
    what = f"row {pixel.row}, column {pixel.col}"
    colours = f"rgb {', '.join(map(str, pixel.before))} became rgb {', '.join(map(str, pixel.after))}"
    with st.container(width=460):
        board(
            exploration.image if before else exploration.adversarial,
            key,
            lambda places: None,
            name=f"{exploration.network}-{key}",
            title="Before" if before else "After",
            text=f"True: {names[0]}. Seen after the attack: {names[1]}.",
            alt=f"The sign with a ring around the pixel at {what}.",
            hint=f"In the ring, {what}: {colours}.",
            rings=[Ring(pixel.row, pixel.col, hit=True)],
        )


def reveal_kind(exploration: Exploration, riddle: Riddle) -> str:
    """What putting it back does, in markdown."""
    true, wrong = (plain(exploration.class_names[each]) for each in (exploration.label, exploration.adversarial_label))
    return (
        f"Put back, *{true}* {_moved(riddle.returned, 'gains', 'loses')} and *{wrong}* "
        f"{_moved(riddle.taken, 'loses', 'gains')} points of score: it is **{kind_text(riddle.kind)}**."
    )


def _moved(value: float, up: str, down: str) -> str:
    return f"{up if value >= 0 else down} {abs(value):.1f}"
