"""Does a transformer's attention leave the patches of obscuring pixels, and go to those of leading ones? Ours.

Each patch's share of the attention is measured on the clean and on the attacked picture. What it gains is compared,
within each picture, with what the patches gain that hold no changed pixel, and those whose pixels are of the other
kind. A patch that holds both kinds belongs to neither.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap, permutation_test
from torch import nn

from explorer.evidence import DEFAULT_METHOD, PatchAttention, explain_pixels, patch_attention
from explorer.types import Evidence, Images, Kind, Labels

RESAMPLES = 2000  # of the bootstrap
FLIPS = 9999  # of signs, in the permutation test, whose p can be as small as 2 / (1 + FLIPS)
EXPECTED: dict[Kind, int] = {"obscuring": -1, "leading": 1}  # the sign of what its patch would gain


@dataclass(frozen=True)
class Moved:
    """One picture: what each patch gained, and whose pixels it holds. Arrays (gh, gw); gains are shares, -1 to 1."""

    gains: dict[str, np.ndarray]  # by what is measured; NaN where there was no attention to share
    groups: dict[str, np.ndarray]  # bool, of "obscuring", "leading" (these alone) and "unchanged"


@dataclass(frozen=True)
class Finding:
    """What the patches of one kind gained, next to others of the same pictures. Shares, with 95 % intervals."""

    attention: str
    kind: Kind
    others: str  # a group of Moved
    pictures: int  # that have patches of both
    gain: float
    gain_of_others: float
    difference: float
    low: float
    high: float
    as_expected: float  # share of the pictures in which the difference has the sign that the kind's name says
    p: float  # two-sided: of the signs of the pictures' differences, flipped at random


ROLLOUT, TRUE, WRONG = "rollout", "gradient, true class", "gradient, wrong class"
QUESTIONS: tuple[tuple[str, Kind, str], ...] = (  # which attention, whose patches, next to which others
    (ROLLOUT, "obscuring", "unchanged"),
    (ROLLOUT, "leading", "unchanged"),
    (ROLLOUT, "obscuring", "leading"),
    (TRUE, "obscuring", "unchanged"),
    (TRUE, "obscuring", "leading"),
    (WRONG, "leading", "unchanged"),
    (WRONG, "leading", "obscuring"),
)


def follow_attention(
    network: nn.Module,
    images: Images,
    adversarial: Images,
    labels: Labels,
    method: str = DEFAULT_METHOD,
    on_progress: Callable[[], object] = lambda: None,
) -> list[Moved]:
    """Every picture of which a pixel has changed, labelled by `method`. ValueError if the network is no transformer."""
    found = []
    for image, attacked, label in zip(images, adversarial, labels.tolist(), strict=True):
        evidence = explain_pixels(network, image, attacked, label, method, splits=0)
        if evidence.pixels:
            classes = (label, evidence.adversarial_label)
            seen = [patch_attention(network, each, classes) for each in (image, attacked)]
            found.append(moved(*seen, evidence, tuple(image.shape[1:])))
        on_progress()
    return found


def moved(before: PatchAttention, after: PatchAttention, evidence: Evidence, size: tuple[int, int]) -> Moved:
    """The gains of each patch from one picture of `size` to the other; the classes are the true and the wrong one."""
    shares = [
        {
            name: _share(values)
            for name, values in zip((ROLLOUT, TRUE, WRONG), (seen.rollout, *seen.gradient), strict=True)
        }
        for seen in (before, after)
    ]
    holds = {kind: np.zeros(before.rollout.shape, bool) for kind in EXPECTED}
    rows, cols = before.rollout.shape
    for pixel in evidence.pixels:
        holds[pixel.kind][pixel.row * rows // size[0], pixel.col * cols // size[1]] = True
    hidden, led = holds["obscuring"], holds["leading"]
    groups = {"obscuring": hidden & ~led, "leading": led & ~hidden, "unchanged": ~hidden & ~led}
    return Moved({name: shares[1][name] - shares[0][name] for name in shares[0]}, groups)


def _share(values: np.ndarray) -> np.ndarray:
    total = values.sum()
    return values / total if total > 0 else np.full(values.shape, math.nan)


def findings(pictures: Sequence[Moved]) -> list[Finding]:
    """The answer to every question."""
    return [_finding(pictures, *question) for question in QUESTIONS]


def _finding(pictures: Sequence[Moved], attention: str, kind: Kind, others: str) -> Finding:
    pairs = [
        (each.gains[attention][each.groups[kind]], each.gains[attention][each.groups[others]])
        for each in pictures
        if not np.isnan(each.gains[attention]).any()
    ]
    pairs = [pair for pair in pairs if all(map(len, pair))]
    if not pairs:
        return Finding(attention, kind, others, 0, *[math.nan] * 7)
    own, theirs = np.array([[each.mean() for each in pair] for pair in pairs]).T
    differences = own - theirs
    low, high = _interval(differences)
    return Finding(
        attention,
        kind,
        others,
        len(pairs),
        float(own.mean()),
        float(theirs.mean()),
        float(differences.mean()),
        low,
        high,
        float((differences * EXPECTED[kind] > 0).mean()),
        sign_flip_p(differences),
    )


def _interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Of the mean, at 95 %, by resampling pictures; NaN for one picture."""
    if len(values) < 2:
        return math.nan, math.nan
    random = np.random.default_rng(seed)
    found = bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=random).confidence_interval
    return float(found.low), float(found.high)


def sign_flip_p(differences: np.ndarray, seed: int = 0) -> float:
    """That the mean is as far from zero, or farther, if the sign of each picture's difference is a matter of chance.

    Two-sided; exact where there are no more than FLIPS ways; NaN for one picture. Unlike an exchange of patches, it
    asks for no equal spread of the two groups: what the patches of changed pixels gain varies more, whatever its mean.
    """
    if len(differences) < 2:
        return math.nan
    random = np.random.default_rng(seed)
    found = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=FLIPS, rng=random)
    return float(found.pvalue)
