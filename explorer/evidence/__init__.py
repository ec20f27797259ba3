"""Evidence: each changed pixel labelled obscuring (it hides the true class) or leading (it points to the wrong one).

The categories are those of arXiv 2506.17250, which shows them by eye; the numbers and the checks are ours.
"""

import math

from explorer.evidence.attributions import (
    DEFAULT_METHOD,
    FOR_BLACK_BOXES,
    MAPS,
    METHODS,
    Method,
    methods_for,
    problem_of,
    problems_of,
    usual_method,
)
from explorer.evidence.attributions.capabilities import gradient_at
from explorer.evidence.attributions.no_trace import undisturbed
from explorer.evidence.case import Case
from explorer.evidence.checks import dissociation
from explorer.evidence.examination import Examination, PatchAttention, class_maps, examine, patch_attention
from explorer.evidence.labels import SPLITS, labelled
from explorer.evidence.repair import SmallestSet, smallest_repair, smallest_still_fooling
from explorer.evidence.reversal import Reversals
from explorer.evidence.trust import Card, trust
from explorer.memory import is_shortage
from explorer.types import Checks, Evidence, Image, Network

__all__ = [
    "DEFAULT_METHOD",
    "FOR_BLACK_BOXES",
    "MAPS",
    "METHODS",
    "SPLITS",
    "Card",
    "Case",
    "Examination",
    "Method",
    "PatchAttention",
    "Reversals",
    "SmallestSet",
    "class_maps",
    "dissociation",
    "examine",
    "explain_pixels",
    "gradient_at",
    "labelled",
    "methods_for",
    "patch_attention",
    "smallest_repair",
    "smallest_still_fooling",
    "trust",
    "undisturbed",
    "usual_method",
]


def explain_pixels(
    network: Network,
    image: Image,
    adversarial: Image,
    label: int,
    method: str = DEFAULT_METHOD,
    *,
    splits: int = SPLITS,
) -> Evidence:
    """Label every changed pixel between `image` and `adversarial`, both (3, h, w) RGB in [0, 1], and check the labels.

    With Z the centred logits, y = `label` and t the strongest other class at `adversarial` (the predicted one, if it is
    fooled), a pixel's obscuring is its share of the fall of Z_y, its leading its share of the rise of Z_t, both in
    logits; the kind is the larger of the two. Both pictures are first put on the 8-bit grid. `method` is a key of
    METHODS that is valid for the network (see methods_for). `splits` other splits of the pixels give the p of the group
    reversal; 0 leaves it out, which is quicker. Raises ValueError on bad input.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if splits < 0:
        raise ValueError(f"splits must be at least 0; got {splits}.")
    with undisturbed(network, image):
        case = Case.of(network, image, adversarial, label)
        if not case.n_pixels:
            return Evidence((), Checks(*[math.nan] * 7), method, label, case.wrong, METHODS[method].unit)
        problem = problem_of(method, case.network, case.image)
        if problem:
            raise ValueError(f"{METHODS[method].title} is not valid for this network: {problem}.")
        reversals = Reversals(case)
        try:
            shares = METHODS[method].shares(reversals)
        except (RuntimeError, ValueError) as error:  # the latter of a person's network that leaves torch
            if is_shortage(error) or not (problem := problems_of(case.network, case.image)[method]):
                raise
            raise ValueError(f"{METHODS[method].title} is not valid for this network: {problem}.") from error
        return labelled(reversals, method, shares, splits)
