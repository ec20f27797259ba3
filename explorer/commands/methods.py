"""The method that a command labels pixels by."""

import argparse

import torch

from explorer.classifiers import Classifier
from explorer.evidence import METHODS, methods_for, usual_method
from explorer.evidence.attributions import DEFAULT_METHOD, FOR_BLACK_BOXES


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The option that chooses it."""
    parser.add_argument(
        "--method",
        choices=list(METHODS),
        help=f"how pixels are labelled (default: {DEFAULT_METHOD}; {FOR_BLACK_BOXES} for a network without gradients)",
    )


def chosen_method(name: str | None, clf: Classifier) -> str:
    """The method of this name, or the usual one for the network. Raises ValueError with one sentence, before any work,
    where it is not valid for it.
    """
    blank = torch.zeros(3, *clf.input_size, device=clf.device)
    if name is None:
        return usual_method(clf, blank)
    if problem := methods_for(clf, blank)[name]:
        raise ValueError(f"{METHODS[name].title} is not valid for {clf.name}: {problem}.")
    return name
