"""Choosing classes: the one that the network shall see, and the one that the picture truly shows."""

import streamlit as st

from explorer.classifiers import Classifier
from explorer.classifiers.class_names import distinct
from explorer.pipeline import picture_sha256
from explorer.types import Sample
from explorer.ui.link import bound, link, linked, unlink

ANY_CLASS = "any wrong class"
GUESSED = "guessed from the prediction"
PARAMETER = "true"


def choose_target(clf: Classifier) -> int | None:
    """The class that the network shall see; None for any wrong one."""
    names = distinct(clf.class_names)
    bound("target", [ANY_CLASS, *names])
    name = st.selectbox("Target class", [ANY_CLASS, *names], key="target", bind="query-params")
    return names.index(name) if name in names and name != ANY_CLASS else None  # a class may be called so


def choose_label(sample: Sample, clf: Classifier) -> int | None:
    """The true class. Where nobody has told the network's class of this picture, a person may; None: the prediction
    takes its place. What was said of one picture is forgotten with the next.
    """
    known = sample.label_for(clf.dataset)
    about = picture_sha256(sample.image), clf.name
    if st.session_state.setdefault("true_class_of", about) != about:
        st.session_state.true_class_of = about
        unlink(PARAMETER)
    if known is not None:
        unlink(PARAMETER)
        return known
    names = distinct(clf.class_names)
    st.session_state.true_class = linked(PARAMETER, names, GUESSED)
    name = st.selectbox(
        "True class",
        [GUESSED, *names],
        key="true_class",
        help="Nobody has labelled this picture for this network. If the prediction is wrong, say so here.",
        on_change=lambda: link(PARAMETER, st.session_state.true_class, GUESSED),
    )
    return names.index(name) if name in names and name != GUESSED else None
