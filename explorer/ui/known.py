"""What came with the app is an answer as well: the first picture stands at once."""

from dataclasses import replace
from functools import lru_cache

import streamlit as st

from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.pipeline import Exploration, Film, shipped
from explorer.types import STAGES
from explorer.ui.caches import Question, answers

SEEN = "film_seen"
EVERY_FRAME = 8  # of the first, which differ most, all are shown


def bring_shipped(question: Question, clf: Classifier) -> Exploration | None:
    """Put the shipped run of this attack on this picture, if there is one, among the answers, and return it."""
    unlike = question.target is not None or question.region is not None or question.owner
    if unlike or not shipped.has(clf.name):  # and nothing is kept of a network that may be large
        return None
    found = _run(clf, replace(question, method=DEFAULT_METHOD, stage=None))
    if found is not None and answers().find_attack(question) is None:
        answers().keep(replace(question, method=DEFAULT_METHOD, stage=None), found)
    return found


def first_film(question: Question, clf: Classifier) -> Film | None:
    """The film of the first thing that is shown in this visit, if it is the whole of a run that came with one."""
    if st.session_state.get(SEEN):
        return None
    st.session_state[SEEN] = True
    if question.owner or question.target is not None or question.region is not None or question.stage is not None:
        return None
    film = shipped.find_film(clf, question.image, question.attack)
    return None if film is None else _thinned(film)


def _thinned(film: Film) -> Film:
    """The first frames, and then those whose count is another one, of the attack's own every second."""
    kept = [0]
    for number, frame in enumerate(film.frames):
        new = frame.n_pixels != film.frames[kept[-1]].n_pixels
        if new and (number < EVERY_FRAME or number % 2 == 0 or frame.stage != STAGES[0]):
            kept.append(number)
    return replace(film, frames=tuple(film.frames[i] for i in kept), margins=tuple(film.margins[i] for i in kept))


@lru_cache(maxsize=128)
def _run(clf: Classifier, question: Question) -> Exploration | None:
    found = shipped.find_run(clf, question.image, question.attack)
    return None if found is None else replace(found, true_label=question.label)
