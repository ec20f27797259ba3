"""What all sessions share: networks and finished explorations."""

import atexit
import gc
import hashlib
import json
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import streamlit as st
import torch
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.attacks import Attack
from explorer.classifiers import Classifier, find_card, load_classifier
from explorer.evidence import gradient_at, methods_for
from explorer.hashes import network_sha256
from explorer.limits import limits
from explorer.locks import exclusive, read_only_twin
from explorer.pipeline import Exploration
from explorer.regions import Region
from explorer.types import Image
from explorer.ui.devices import fastest_device
from explorer.ui.stores import server_wide

atexit.register(gc.unfreeze)  # what is frozen below is let go in good order when the server ends


def classifier(name: str, device: str | None = None) -> Classifier:
    """A network, by default on the fastest device, loaded once for everybody, and anew when its file was replaced.
    Those that are not bundled may be large: few are kept.
    """
    card = find_card(name, paths=False)
    kept = _bundled if card.source == "bundled" else _large
    return kept.get((name, card.content, device or fastest_device()), lambda: _load(name, device or fastest_device()))


class Networks:
    """The networks that were asked for last. Not Streamlit's cache: every client may clear that."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, ...], Classifier] = OrderedDict()
        self._guard, self._loading = threading.Lock(), threading.Lock()

    def get(self, key: tuple[str, ...], load: Callable[[], Classifier]) -> Classifier:
        """The network of this key, which many may ask for at once, loaded if need be."""
        if (clf := self._find(key)) is None:
            seen = get_script_run_ctx(suppress_warning=True) is not None  # not where the server loads it
            with st.spinner("Loading the network …") if seen else nullcontext(), self._loading:
                if (clf := self._find(key)) is None:
                    clf = self._kept[key] = load()
        with self._guard:
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return clf

    def _find(self, key: tuple[str, ...]) -> Classifier | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def clear(self) -> None:
        """Load them anew when they are asked for again."""
        with self._guard:
            self._kept.clear()


_bundled, _large = Networks(16), Networks(3)


def _load(name: str, device: str) -> Classifier:
    clf = load_classifier(name, device)
    _freeze()
    return clf


@cache
def _freeze() -> None:
    """Streamlit collects all garbage after every run; what never dies need not be searched each time. That is the
    libraries, and the first network: once, as what visitors hold at a later time would never be collected either.
    """
    gc.collect()
    gc.freeze()


_contents: "weakref.WeakKeyDictionary[Classifier, str]" = weakref.WeakKeyDictionary()


def content_of(clf: Classifier) -> str:
    """Fingerprint of a network that is loaded: of its numbers, and of what they mean."""
    if clf not in _contents:
        known = [network_sha256(clf), clf.name, clf.class_names, clf.dataset, clf.input_size]
        _contents[clf] = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    return _contents[clf]


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
            read_only_twin(clf)  # while nobody holds the network
        _about[clf] = [method for method, problem in problems.items() if problem is None], seconds
    return _about[clf]


def _step(clf: Classifier, image: Image) -> float:
    started = time.perf_counter()
    gradient = gradient_at(clf, image)
    if gradient is not None:
        gradient.sum().item()  # waits for the device
    return time.perf_counter() - started


@dataclass(frozen=True)
class Question:
    """Everything that decides what an exploration shows. Two equal questions have the same answer."""

    picture: str  # SHA-256 of its pixels
    network: str  # its content_of: a name may come to mean another network
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

    def __init__(self, limit: int) -> None:
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


@server_wide
def answers() -> Answers:
    """The one store of this server."""
    return Answers(limits().answers)


def on_cpu(exploration: Exploration) -> Exploration:
    """The same with all of its result in the computer's memory: many are kept, and a device's memory is scarce."""
    result = exploration.result
    moved = {each.name: _moved(getattr(result, each.name)) for each in fields(result)}
    return replace(exploration, result=replace(result, **moved))


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _moved(each) for name, each in value.items()}
    return value.cpu() if torch.is_tensor(value) else value
