"""What the settings do to one weight, live: they move with the sliders, also before the attack has run again."""

import streamlit as st

from explorer.attacks import Attack
from explorer.figures import mechanics
from explorer.knobs import knobs
from explorer.pipeline import Exploration
from explorer.ui.evidence import QUIET

DRAWN = ("a", "tau", "surrogate", "threshold", "box")  # the knobs whose effect on a weight is drawn


def drawable(attack: Attack, exploration: Exploration) -> bool:
    """Whether `attack` has these knobs, and the run that is shown ended with weights."""
    return exploration.result.weights is not None and {*DRAWN} <= {*knobs(attack)}


def show_mechanics(attack: Attack, exploration: Exploration) -> None:
    """The smoothed step, the threshold and the box for `attack`, over the weights that the shown run ended with."""
    weights = exploration.result.weights[0].cpu()
    figure = mechanics(
        weights,
        **{name: getattr(attack, name) for name in DRAWN},
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
