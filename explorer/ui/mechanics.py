"""What the settings do to one weight, live: they move with the sliders, also before the attack has run again."""

import streamlit as st

from explorer.attacks import SparseAttack
from explorer.figures import mechanics
from explorer.pipeline import Exploration
from explorer.ui.evidence import QUIET


def show_mechanics(attack: SparseAttack, exploration: Exploration) -> None:
    """The smoothed step, the threshold and the box for `attack`, over the weights that the shown run ended with."""
    weights = exploration.result.weights[0].cpu()
    figure = mechanics(
        weights,
        a=attack.a,
        tau=attack.tau,
        surrogate=attack.surrogate,
        threshold=attack.threshold,
        box=attack.box,
        pixels=exploration.image,
    )
    left, kept = int((weights > 0).sum()), len(weights)
    told = f"{left:,} of {kept:,} weights are above 0 at the last step of the optimised stage."
    st.plotly_chart(figure, key="mechanics_plot", config=QUIET, alt=f"a {attack.a:g}, τ {attack.tau:g}. {told}")
    st.caption(
        f"{told} **Left:** where the step's slope is high, λ pulls a weight towards 0; far to the right there is no "
        "pull left. The annealed schedule goes from three times this width to half of it. **Middle:** what the "
        "threshold makes of a weight. **Right:** how far a value of the picture can move, by its brightness."
    )
