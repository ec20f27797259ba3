"""The Experiments page: five questions about the method, measured."""

import streamlit as st

from explorer.studies import EXPERIMENTS
from explorer.ui.experiments import show_experiment
from explorer.ui.link import bound, tell_unmet


def page() -> None:
    st.title("Five questions, measured", anchor=False)
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
    st.caption(f"On pictures that the network classifies correctly. {EXPERIMENTS[name].stages}")
    show_experiment(name)
    st.caption("Measure it again, on these or on other networks and pictures:")
    st.code(f"python -m explorer experiment {name} --model signs-resnet", language="sh", wrap_lines=True)


page()
