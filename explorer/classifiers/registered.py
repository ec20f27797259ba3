"""Networks in Python that the person who starts the server names: loaded and checked once, for all of its visitors.

EXPLORER_NETWORKS holds their names as JSON, ["FILE.py:FUNCTION", …]; `python -m explorer serve --network` writes it.
"""

import copy
import hashlib
import json
import os
import threading
from functools import lru_cache, partial
from pathlib import Path

import torch

from explorer import user_code
from explorer.classifiers.card import Card
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.python import as_classifier, fit_border, load_python, usual_size
from explorer.hashes import network_sha256
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import CUSTOM, title_of

VARIABLE = "EXPLORER_NETWORKS"
PREFIX = "py:"  # of their names
SIZES = ((224, 224), (64, 64), (32, 32))  # that are tried, in turn, where nothing tells what size of pictures it takes
_guard = threading.Lock()


def registered_cards() -> list[Card]:
    """One card for each of the server's networks, in their order. Raises ValueError with one sentence if any of them
    cannot be had.
    """
    with _guard:  # a person's code runs once, however many ask
        known = _cards(os.environ.get(VARIABLE, ""))
    if isinstance(known, str):
        raise ValueError(known)
    return list(known.values())


def registered_card(name: str) -> Card:
    """The card of this name, which tells its content. Raises ValueError with one sentence if there is none."""
    for card in registered_cards():
        if card.name == name:
            return card
    raise ValueError(f"No network {name[:80]!r} was named when this server was started, or it has changed since.")


@lru_cache(maxsize=8)
def _cards(text: str) -> dict[str, Card] | str:
    """The cards by their names, or what is wrong."""
    try:
        cards: dict[str, Card] = {}
        for named in _names(text):
            card = _card(named)
            if card.name in cards:
                raise ValueError(f"{named} was named twice: name each network once.")
            cards[card.name] = card
        return cards
    except ValueError as error:
        return str(error)


def _names(text: str) -> list[str]:
    try:
        names = json.loads(text or "[]")
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and ".py:" in name for name in names):
        raise ValueError(f"{VARIABLE} holds a JSON list of FILE.py:FUNCTION; got {text[:80]!r}.")
    return names


def _card(named: str) -> Card:
    file, _, function = named.rpartition(":")
    title = f"{Path(file).stem}:{function}"
    try:
        clf = _classifier(named)
    except ValueError as error:
        told = str(error)
        raise ValueError(told if told.startswith(file) else f"{named}: {told}") from error
    except Exception as error:  # a person's module may raise anything, also where it is only moved or looked at
        raise ValueError(f"{named}: {user_code.described(error)}") from error
    known = [network_sha256(clf), function, clf.class_names, clf.input_size]
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    clf.name = f"{PREFIX}{Path(file).stem}.{function}-{digest[:12]}"
    classes = f"{len(clf.class_names):,} classes"
    if clf.dataset != CUSTOM:
        classes += f" of {title_of(clf.dataset)}"
    network = clf.network.network
    return Card(
        name=clf.name,
        title=f"Yours: {title} ({digest[:6]})",
        dataset=clf.dataset,
        architecture=type(network).__name__,
        summary=f"Yours, named when the server was started: {title}, {classes}, "
        f"{clf.input_size[1]} × {clf.input_size[0]} pixels.",
        source="python",
        input_size=clf.input_size,
        parameters=sum(parameter.numel() for parameter in clf.parameters()),
        load=partial(copy.deepcopy, clf),
        build=lambda: copy.deepcopy(clf.network).to("meta"),
    )


def _classifier(named: str) -> Classifier:
    """The network on the CPU, once it has shown that it can do what a page asks of it."""
    with as_one_sentence():
        wrapped = load_python(named)
        size, remark = usual_size(wrapped), ""
        if size is None:
            size = _tried(wrapped)
            remark = f"It carries no input_size: pictures of {size[1]} × {size[0]} pixels are taken."
        fit_border(wrapped, size)
        clf = as_classifier(wrapped, named, size)
        clf.remark = remark
        try:
            copy.deepcopy(clf)
            twin = read_only_twin(clf)
        except Exception as error:  # a person's module may hold anything: locks, open files, tensors of a graph
            raise ValueError(
                f"the network cannot be copied, which a server needs so that one visitor does not wait for another: "
                f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
            ) from error
        with torch.no_grad():
            twin(torch.full((2, 3, *size), 0.5))
    return clf


def _tried(network: torch.nn.Module) -> tuple[int, int]:
    """The first of SIZES that it takes. Raises ValueError with what it says to the last."""
    for size in SIZES[:-1]:
        try:
            as_classifier(network, "", size)
        except ValueError:
            continue
        return size
    as_classifier(network, "", SIZES[-1])
    return SIZES[-1]
