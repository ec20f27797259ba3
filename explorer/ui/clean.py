"""The clean picture and what the network sees in it: at once, whoever else waits for the network."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Classifier
from explorer.locks import read_only_twin
from explorer.pipeline import percent, probabilities
from explorer.types import Image
from explorer.ui.caches import Question
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.session import session
from explorer.ui.stores import Recent

KEPT = 256  # predictions

_seen: Recent[tuple[int, float]] = Recent(KEPT)


def show_clean(question: Question, clf: Classifier) -> DeltaGenerator:
    """Show it, where no run on the same picture is in view already. Returns the place, which an answer shall empty."""
    place, shown = st.empty(), session().answered
    if shown is None or not same_picture(shown, question):
        with place.container():
            _show(question.image, *prediction(question, clf), clf)
    return place


def same_picture(one: Question, other: Question) -> bool:
    """Whether both are about the same picture and network."""
    return (one.picture, one.network) == (other.picture, other.network)


def prediction(question: Question, clf: Classifier) -> tuple[int, float]:
    """The class that the network sees in the clean picture, and its probability. Nobody is waited for: a read-only twin
    of the network looks at it.
    """

    def look() -> tuple[int, float]:
        seen = probabilities(read_only_twin(clf), question.image[None].to(clf.device))[0]
        return int(seen.argmax()), float(seen.max())

    return _seen.get((question.network, question.picture), look)


def _show(image: Image, label: int, share: float, clf: Classifier) -> None:
    height, width = image.shape[1:]
    told = f"{clf.class_names[label]}, {percent(share)}"
    st.header(plain(told).replace(" %", "\u00a0%"), anchor=False)
    pane = {
        "title": "Before",
        "text": told,
        "shows": "before",
        "alt": f"The clean picture, {width} by {height} pixels. The network sees: {told}.",
    }
    hint = "This is the clean picture, and what the network sees in it."
    left, _ = st.columns([1, 2])  # as large as it will be beside the others
    with left:
        canvas({"before": image}, [pane], (), (), (), hint, "clean", None)
