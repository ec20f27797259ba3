"""The Experiments page: four questions about the method, measured."""

import streamlit as st

from explorer.sweep import EXPERIMENTS
from explorer.ui.experiments import show_experiment
from explorer.ui.link import bound, tell_unmet


def page() -> None:
    st.title("Four questions, measured", anchor=False)
    st.caption(
        "Each on pictures that the network classifies correctly, with the optimised stage alone: pruning and "
        "polishing, which come after it, would hide what a, λ and τ do."
    )
    bound("experiment", [experiment.title for experiment in EXPERIMENTS.values()])
    name = st.segmented_control(
        "Question",
        list(EXPERIMENTS),
        default=next(iter(EXPERIMENTS)),
        required=True,
        format_func=lambda name: EXPERIMENTS[name].title,
        key="experiment",
        wrap=True,
        bind="query-params",
    )
    tell_unmet()
    show_experiment(name)
    st.caption("Measure it again, on these or on other networks and pictures:")
    st.code(f"python -m explorer experiment {name} --model signs-resnet", language="sh")


page()
