"""What a class sees of itself: where it stands, what it predicted, what it found."""

import base64
import html
from collections.abc import Sequence

import streamlit as st

from explorer.figures import class_bars, count_bars
from explorer.images import to_thumbnail
from explorer.rooms import Entry, View
from explorer.samples import find_sample
from explorer.ui.evidence import QUIET
from explorer.ui.lesson.steps import STEPS
from explorer.ui.markdown import plain

SHOWN = 8  # finds of each kind


def show_class(view: View) -> None:
    """All of it, as it is now."""
    titles = [f"{number} {step.title}" for number, step in enumerate(STEPS, 1)]
    here, solved = (
        [counts.get(number, 0) for number in range(1, len(STEPS) + 1)] for counts in (view.here, view.solved)
    )
    st.markdown("##### Where the class stands")
    told = ", ".join(f"{title}: {n} here, {m} solved" for title, n, m in zip(titles, here, solved, strict=True))
    st.plotly_chart(class_bars(titles, here, solved), key="class-bars", config=QUIET, alt=f"{told}.")
    if view.answers:
        st.markdown("##### What it predicted")
    for question, counts in view.answers.items():
        st.markdown(f"**{plain(question)}**")
        counts = dict(sorted(counts.items()))
        told = ", ".join(f"{choice}: {count}" for choice, count in counts.items())
        st.plotly_chart(
            count_bars([*counts], [*counts.values()], ""),
            key=f"answers-{question}",
            config=QUIET,
            alt=f"{told}.",
        )
    st.markdown("##### What it found")
    if not view.wall:
        st.caption("Nothing yet: what is found in step 1 comes here.")
        return
    wall("Fewest pixels", view.wall[:SHOWN])
    wall("Funniest flips", [entry for entry in view.wall if entry.find.funny][:SHOWN])


def wall(title: str, entries: Sequence[Entry]) -> None:
    """Cards with the bundled sign and what became of it; every name is escaped."""
    if entries:
        cards = "".join(_card(entry) for entry in entries)
        st.html(f'<h6 class="wall-title">{html.escape(title)}</h6><div class="wall">{cards}</div>')


def _card(entry: Entry) -> str:
    find = entry.find
    source = base64.b64encode(to_thumbnail(find_sample(find.picture).image)).decode()
    flip = f"{find.before} → {find.after}"
    count = "1 pixel" if find.n_pixels == 1 else f"{find.n_pixels} pixels"
    return (
        f'<figure><img alt="{html.escape(find.before)}" src="data:image/webp;base64,{source}">'
        f"<figcaption><b>{count}</b><br>{html.escape(flip)}<br><i>{html.escape(entry.name)}</i></figcaption></figure>"
    )
