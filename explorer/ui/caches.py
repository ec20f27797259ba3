"""What all sessions share: networks and finished explorations."""

import atexit
import gc
import threading
import time
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.classifiers import CLASSIFIERS, Classifier, load_classifier
from explorer.evidence import methods_for
from explorer.locks import exclusive, onlooker
from explorer.pipeline import Exploration
from explorer.regions import Region
from explorer.types import Image
from explorer.ui.devices import fastest_device

KEPT_EXPLORATIONS = 64

atexit.register(gc.unfreeze)  # what `_load` freezes below is let go in good order when the server ends


def classifier(name: str, device: str | None = None) -> Classifier:
    """A network, by default on the fastest device, loaded once for everybody. Those that are not bundled may be large:
    few are kept.
    """
    bundled = name in CLASSIFIERS and CLASSIFIERS[name].source == "bundled"
    return (_bundled if bundled else _large)(name, device or fastest_device())


@st.cache_resource(show_spinner="Loading the network …", max_entries=16)
def _bundled(name: str, device: str) -> Classifier:
    return _load(name, device)


@st.cache_resource(show_spinner="Loading the network …", max_entries=3)
def _large(name: str, device: str) -> Classifier:
    return _load(name, device)


def _load(name: str, device: str) -> Classifier:
    clf = load_classifier(name, device)
    gc.collect()
    gc.freeze()  # Streamlit collects all garbage after every run; what never dies need not be searched each time
    return clf


_about: "weakref.WeakKeyDictionary[Classifier, tuple[list[str], float]]" = weakref.WeakKeyDictionary()


def valid_methods(clf: Classifier) -> list[str]:
    """The attribution methods that are valid for a network."""
    return _known_of(clf)[0]


def seconds_per_step(clf: Classifier) -> float:
    """What a forward and a backward pass of one picture took, when the network was new here."""
    return _known_of(clf)[1]


def _known_of(clf: Classifier) -> tuple[list[str], float]:
    if clf not in _about:
        image = torch.zeros(3, *clf.input_size, device=clf.device)
        with exclusive(clf):
            problems = methods_for(clf, image)
            seconds = min(_step(clf, image) for _ in range(2))  # the first one warms up
            onlooker(clf)  # while nobody holds the network
        _about[clf] = [method for method, problem in problems.items() if problem is None], seconds
    return _about[clf]


def _step(clf: Classifier, image: Image) -> float:
    started = time.perf_counter()
    images = image[None].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(clf(images).max(), images)
    gradient.sum().item()  # waits for the device
    return time.perf_counter() - started


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
    device: str = "cpu"
    owner: str = ""  # the only visitor who may see the answer; "": everybody
    region: Region | None = None  # where pixels may change; None: everywhere

    @property
    def attacked(self) -> tuple:
        """What decides the attack alone, whatever is then explained of it."""
        return self.picture, self.network, self.device, self.owner, self.attack, self.target, self.region


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
