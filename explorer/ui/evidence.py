"""Why the network changed its mind: bars, scatter, table and checks; a selected pixel is marked in all of them."""

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from explorer.evidence import trust
from explorer.figures import pixel_scatter, top_classes
from explorer.palette import LOOKS, kind_text
from explorer.pipeline import Exploration
from explorer.types import Evidence, PixelLabel
from explorer.ui import words
from explorer.ui.session import Session, session

QUIET = {"displayModeBar": False}
COLOURS = {"green": st.success, "amber": st.warning, "red": st.error}  # of the trust card


def show_evidence(exploration: Exploration) -> None:
    """The numbers behind the pictures."""
    left, right = st.columns(2, gap="medium")
    with left:
        _probabilities(exploration)
    if exploration.evidence is None:
        right.info(exploration.unlabelled)
        return
    me, pixels = session(), exploration.evidence.pixels
    with right:
        _scatter(exploration.evidence, me)
    st.markdown("##### Pixel by pixel")
    unit = exploration.evidence.unit
    pixel_table(
        _styled(pixels),
        key="table",
        alt="One row per changed pixel: place, colour before and after, its two numbers, its kind.",
        column_config={
            kind: st.column_config.NumberColumn(f"{kind}, {unit}", format="%.3f") for kind in ("obscuring", "leading")
        },
    )
    st.markdown("##### Can these labels be trusted?")
    card = trust(exploration.evidence)
    COLOURS[card.colour](card.sentence)
    st.markdown("\n".join(f"- {sentence}" for sentence in words.check_sentences(exploration.evidence)))


def _probabilities(exploration: Exploration) -> None:
    st.markdown("##### What the network sees")
    labels = exploration.top()
    names = [exploration.class_names[label] for label in labels]
    before, after = exploration.before[labels].tolist(), exploration.after[labels].tolist()
    listed = "; ".join(
        f"{n}: {100 * b:.1f} %, then {100 * a:.1f} %" for n, b, a in zip(names, before, after, strict=True)
    )
    figure = top_classes(names, before, after)
    st.plotly_chart(figure, key="bars", config=QUIET, alt=f"Probabilities before and after the attack. {listed}.")


def _scatter(evidence: Evidence, me: Session) -> None:
    pixels, shown = evidence.pixels, me.selected

    st.markdown("##### Obscuring or leading?")
    counts = " and ".join(f"{sum(pixel.kind == kind for pixel in pixels)} {kind}" for kind in LOOKS)
    st.plotly_chart(
        pixel_scatter(pixels, shown, evidence.unit),
        key="scatter",
        on_select=lambda: pick_points("scatter"),
        selection_mode="points",
        config=QUIET,
        alt=f"Each changed pixel by how much it obscures and how much it leads: {counts}. The table lists the numbers.",
    )


def pick_points(key: str) -> None:
    """Select the pixels that were picked in the chart of this key, whose points carry their indices."""
    points = [point for point in st.session_state[key].selection.points if "customdata" in point]
    if points:  # none: the chart was only drawn anew
        session().pick((point["customdata"][0] for point in points), enclosed=len(points) > 1)


def pixel_table(rows: pd.DataFrame | Styler, key: str, alt: str, column_config: dict | None = None) -> None:
    """A table with one row per changed pixel; selecting rows selects the pixels everywhere."""
    me = session()
    shown = me.selected

    def pick() -> None:
        chosen = tuple(sorted(st.session_state[key].selection.rows))
        if chosen != shown:  # equal: the table only echoes what was put into it below
            me.select(chosen)

    st.session_state[key] = {"selection": {"rows": list(shown)}}
    st.dataframe(
        rows,
        key=key,
        on_select=pick,
        selection_mode="multi-row",
        hide_index=True,
        column_config=column_config,
        alt=alt,
    )


def _styled(pixels: tuple[PixelLabel, ...]) -> Styler:
    table = pd.DataFrame(
        [
            {
                "kind": kind_text(pixel.kind, pixel.weak),
                "row": pixel.row,
                "column": pixel.col,
                "colour before": "#{:02x}{:02x}{:02x}".format(*pixel.before),
                "colour after": "#{:02x}{:02x}{:02x}".format(*pixel.after),
                "obscuring": pixel.obscuring,
                "leading": pixel.leading,
                "reverting it says": kind_text(pixel.reversal_kind),
            }
            for pixel in pixels
        ]
    )
    return table.style.map(_paint, subset=["colour before", "colour after"])


def _paint(colour: str) -> str:
    """The cell in its own colour, with ink that can be read on it."""
    red, green, blue = bytes.fromhex(colour[1:])
    ink = "#000000" if 0.3 * red + 0.59 * green + 0.11 * blue > 128 else "#ffffff"
    return f"background-color: {colour}; color: {ink}"
