"""What all sessions share: networks and finished explorations."""

import atexit
import gc
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import streamlit as st
import torch

from explorer.classifiers import Classifier, load_classifier
from explorer.evidence import methods_for
from explorer.pipeline import Exploration
from explorer.pipeline.exploration import Attack
from explorer.types import Image

KEPT_EXPLORATIONS = 64

atexit.register(gc.unfreeze)  # what `classifier` freezes below is let go in good order when the server ends


@st.cache_resource(show_spinner="Loading the network …", max_entries=8)
def classifier(name: str) -> Classifier:
    """A network, loaded once for everybody."""
    clf = load_classifier(name)
    gc.collect()
    gc.freeze()  # Streamlit collects all garbage after every run; what never dies need not be searched each time
    return clf


@st.cache_resource(show_spinner=False)
def valid_methods(name: str) -> list[str]:
    """The attribution methods that are valid for a network."""
    clf = classifier(name)
    problems = methods_for(clf, torch.zeros(3, *clf.input_size, device=clf.device))
    return [method for method, problem in problems.items() if problem is None]


@dataclass(frozen=True)
class Question:
    """Everything that decides what an exploration shows. Two equal questions have the same answer."""

    picture: str  # SHA-256 of its pixels
    network: str
    attack: Attack
    target: int | None
    method: str
    stage: str | None
    image: Image = field(compare=False, repr=False)
    label: int | None = None

    @property
    def attacked(self) -> tuple:
        """What decides the attack alone, whatever is then explained of it."""
        return self.picture, self.network, self.attack, self.target


class Answers:
    """The newest explorations by their questions."""

    def __init__(self, limit: int = KEPT_EXPLORATIONS) -> None:
        self._limit = limit
        self._kept: OrderedDict[Question, Exploration] = OrderedDict()
        self._guard = threading.Lock()

    def find(self, question: Question) -> Exploration | None:
        with self._guard:
            if question in self._kept:
                self._kept.move_to_end(question)
            return self._kept.get(question)

    def find_attack(self, question: Question) -> Exploration | None:
        """An exploration with the same attack, however it was explained."""
        with self._guard:
            return next((kept for asked, kept in self._kept.items() if asked.attacked == question.attacked), None)

    def keep(self, question: Question, exploration: Exploration) -> None:
        with self._guard:
            self._kept[question] = exploration
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)


@st.cache_resource
def answers() -> Answers:
    """The one store of this server."""
    return Answers()
