"""Sparse adversarial attacks, explained pixel by pixel: the interface for programs."""

import explorer.lean  # noqa: F401  before anything else imports torchvision
from explorer.attacks import (
    ATTACKS,
    PGD0,
    Attack,
    Greedy,
    RandomSearch,
    SigmaZero,
    SparseAttack,
    SparseFool,
    SparsePGD,
)
from explorer.classifiers import list_classifiers, load_classifier
from explorer.evidence import explain_pixels
from explorer.images import load_image

__version__ = "1.0.0"

__all__ = [
    "ATTACKS",
    "PGD0",
    "Attack",
    "Greedy",
    "RandomSearch",
    "SigmaZero",
    "SparseAttack",
    "SparseFool",
    "SparsePGD",
    "explain_pixels",
    "list_classifiers",
    "load_classifier",
    "load_image",
]
