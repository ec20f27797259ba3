"""An experiment on a network of the visitor's choice: measured here, and drawn beside what was measured before."""

import pandas as pd
import streamlit as st

from explorer.studies import Study, means, to_table
from explorer.studies.experiments import Experiment
from explorer.ui.grid import Choice
from explorer.ui.link import bound, linked_number, whole
from explorer.ui.long_runs import control
from explorer.ui.markdown import plain
from explorer.ui.networks import BRING, card_of
from explorer.ui.studies import in_batches_of, study_of, told
from explorer.ui.subjects import labelled_pictures, tunable_networks

NOTHING = "nothing more"
PICTURES = 3  # at first
MOST = 20


def measured_here(experiment: Experiment) -> dict[str, pd.DataFrame]:
    """The means of what was measured on the chosen network, by its title; nothing before there is any."""
    titles = {card_of(name).title: name for name in tunable_networks()}
    bound("measured", [NOTHING, *titles])
    linked_number("measured_on", "pictures", whole(1, MOST), PICTURES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.selectbox(
            "Measure here as well",
            [NOTHING, *titles],
            key="measured",
            bind="query-params",
            help=f"A curve of its own for another network. {BRING}",
            width=320,
        )
        if title == NOTHING:
            return {}
        count = st.slider("Pictures", 1, MOST, PICTURES, key="measured_on", bind="query-params", width=220)
    name = titles[title]
    try:
        pictures = labelled_pictures([name])[:count]
        chosen = Choice((name,), pictures, experiment.base, experiment.values)
        run = study_of(chosen)
    except (ValueError, RuntimeError) as error:  # no picture is recognised, or weights that cannot be read
        st.error(plain(error))
        return {}
    study: Study = run.of
    control(
        run,
        f"Run {study.left:,} runs" if study.left else "",
        "Go on" if study.done and study.left else None,
        told(study, in_batches_of(study, chosen)),
    )
    rows = study.rows()
    named = title if card_of(name).ones_own else f"{title}, measured here"  # and not before
    return {named: means(to_table(rows), experiment.by)} if rows else {}
