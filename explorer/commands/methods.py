"""The method that a command labels pixels by."""

import argparse

import torch

from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD, FOR_BLACK_BOXES, METHODS, methods_for, usual_method


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The option that chooses it."""
    parser.add_argument(
        "--method",
        choices=list(METHODS),
        help=f"how pixels are labelled (default: {DEFAULT_METHOD}; {FOR_BLACK_BOXES} if a network has no gradients, "
        "or only zeros)",
    )


def chosen_method(name: str | None, clf: Classifier) -> str:
    """The method of this name, or the usual one for the network. Raises ValueError with one sentence, before any work,
    where it is not valid for it.
    """
    picture = torch.rand(3, *clf.input_size, generator=torch.Generator().manual_seed(0)).to(clf.device)
    if name is None:
        return usual_method(clf, picture)
    if problem := methods_for(clf, picture)[name]:
        raise ValueError(f"{METHODS[name].title} is not valid for {clf.name}: {problem}.")
    return name
