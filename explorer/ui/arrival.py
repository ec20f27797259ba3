"""What is said of a network that somebody brought along: how it was read, and whether it predicts what it should."""

import weakref

import pandas as pd
import streamlit as st

from explorer.classifiers import Card, Classifier
from explorer.pipeline import Arrival, first_look
from explorer.ui.markdown import plain

_looks: "weakref.WeakKeyDictionary[Classifier, Arrival]" = weakref.WeakKeyDictionary()


def arrival_of(clf: Classifier) -> Arrival:
    """The first look at a network; without labelled pictures it is taken again, as they may come later."""
    found = _looks.get(clf)
    if found is None or not found.n:
        with st.spinner("Trying it on a few pictures …"):
            found = _looks[clf] = first_look(clf)
    return found


def show_arrival(clf: Classifier, about: str, card: Card | None) -> bool:
    """What is known `about` a network, and the first look at it; whether the visitor asks for the better normalisation.
    For a network of the server's, which no visitor changes, what its owner is to write is shown instead of a button.
    """
    look = arrival_of(clf)
    if look.better is None:
        st.caption(plain(f"{about} {look.told}"))
        return False
    st.caption(plain(about))
    st.warning(f"{plain(look.told)} {_cure(look, card)}")
    return card is None and st.button("Use the better normalisation", key="own_better")


def _cure(look: Arrival, card: Card | None) -> str:
    """What whoever brought the network along is to write; nothing where a button does it."""
    if card is None:
        return ""
    mean, std = look.figures
    if card.source == "own":
        return f'In {plain(card.files[-1].name)}, beside the weights, it would be `"mean": {mean}, "std": {std}`.'
    if look.better.kind == "added":
        return f"In its Python file, let the network begin with `torchvision.transforms.Normalize({mean}, {std})`."
    return "In its Python file, take out one of the normalisations."


def show_mapping(clf: Classifier) -> None:
    """Which tensor of the file became which of the architecture."""
    if not clf.mapped:
        return
    with st.expander("What was mapped", key="own-mapped", type="compact"):
        changed = sum(each.theirs != each.ours for each in clf.mapped)
        same = "All names are the same." if not changed else f"{changed:,} of {len(clf.mapped):,} names differ."
        st.caption(plain(f"{same} {clf.remark}"))
        rows = [
            {
                "in the file": each.theirs or "(made here)",
                "here": each.ours or "(left out)",
                "shape": " × ".join(map(str, each.shape)) or "one number",
            }
            for each in clf.mapped
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Their name, our name and the shape of every tensor.")
