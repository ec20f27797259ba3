"""What the settings do to one weight, live: they move with the sliders, also before the attack has run again."""

import streamlit as st

from explorer.attacks import Attack
from explorer.attacks.sparse import ANNEAL
from explorer.figures import room_of, smoothed_step, threshold_of
from explorer.knobs import knobs
from explorer.pipeline import Exploration
from explorer.ui.evidence import QUIET

DRAWN = ("a", "lam", "tau", "surrogate", "threshold", "box", "schedule", "gradient")  # knobs that are seen acting


def drawable(attack: Attack, exploration: Exploration) -> bool:
    """Whether `attack` has these knobs, and the run that is shown ended with weights."""
    return exploration.result.weights is not None and {*DRAWN} <= {*knobs(attack)}


def show_mechanics(attack: Attack, exploration: Exploration) -> None:
    """The smoothed step, the threshold and the box for `attack`, over the weights that the shown run ended with."""
    weights = exploration.result.weights[0].cpu()
    normalised = attack.gradient == "normalised"
    step = smoothed_step(
        weights,
        a=attack.a,
        lam=attack.lam if normalised else None,
        tau=attack.tau,
        surrogate=attack.surrogate,
        extremes=tuple(attack.a * each for each in ANNEAL) if attack.schedule == "annealed" else None,
    )
    left, kept = int((weights > 0).sum()), len(weights)
    told = f"{left:,} of {kept:,} weights are above 0 at the last step of the optimised stage."
    settings = f"a {attack.a:g}, λ {attack.lam:g}, τ {attack.tau:g}."
    first, second, third = st.columns([2, 1.2, 1.2], gap="medium")
    with first:
        st.markdown("###### a, λ and τ: the smoothed step")
        st.plotly_chart(step, key="mechanics_plot", config=QUIET, alt=f"{settings} {told}")
    with second:
        st.markdown("###### τ: the threshold")
        alt = (
            f"Weights up to {attack.tau:g} become 0; the others {'stay' if attack.threshold == 'hard' else 'lose it'}."
        )
        st.plotly_chart(threshold_of(attack.tau, attack.threshold), key="threshold_plot", config=QUIET, alt=alt)
    with third:
        st.markdown("###### The box")
        alt = f"The {attack.box} box: how far a value of the picture can move."
        st.plotly_chart(room_of(attack.box, exploration.image), key="room_plot", config=QUIET, alt=alt)
    pull = (
        "**λ** makes the arrows longer: so strongly a weight is pulled towards 0, where the step is steep; far to the "
        "right there is no pull left."
        if normalised
        else "With raw gradients λ's pull has no common measure, so no arrows are drawn."
    )
    st.caption(
        f"{told} **a** makes the step wider. {pull} **τ** widens the shaded part, in which a weight becomes exactly 0. "
        "The annealed schedule goes from three times the width to half of it (faint). The box says how far a value of "
        "the picture can move, by its brightness."
    )
