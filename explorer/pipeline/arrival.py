"""A first look at a network that somebody brought along: a few labelled pictures, with and without normalisation.

A forgotten normalisation, or one that is done twice, is the commonest mistake with weights of one's own. It raises no
error: the network is merely wrong more often, and every attack on it looks too easy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from explorer.adapter import Adapted
from explorer.classifiers import Classifier
from explorer.images import fit
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import CUSTOM, DATA_SETS, title_of
from explorer.types import Image

PICTURES = 10
SAME = 0.01  # by how much two means may differ and still be those of the same pictures
CLEARLY = 2  # pictures more that must be recognised before another normalisation is called better
WITH = {
    "added": "with its usual mean and standard deviation added",
    "usual": "with its usual mean and standard deviation instead",
    "removed": "with a normalisation removed",
}
LOOKS = {
    "added": "the normalisation looks missing",
    "usual": "the mean and the standard deviation look wrong",
    "removed": "its pictures look normalised twice",
}
NONE = ((0.0,) * 3, (1.0,) * 3)  # mean and standard deviation that change nothing


@dataclass(frozen=True)
class Normalisation:
    """What a network's pictures are normalised by, and how many of the pictures it then recognises."""

    kind: str  # "described", or a key of WITH
    mean: tuple[float, ...]  # per channel, in [0, 1] units
    std: tuple[float, ...]
    right: int
    sure: float  # mean probability of the true class


@dataclass(frozen=True)
class Arrival:
    """What the first look found."""

    dataset: str
    n: int  # labelled pictures; 0: there are none here
    tried: tuple[Normalisation, ...] = ()  # as described first

    @property
    def better(self) -> Normalisation | None:
        """A normalisation with which clearly more of the pictures are recognised than as described."""
        best = max(self.tried, key=lambda each: (each.right, each.sure), default=None)
        return best if best is not None and best.right >= self.tried[0].right + CLEARLY else None

    @property
    def told(self) -> str:
        """In one sentence or two."""
        if not self.n:
            what = "its own classes" if self.dataset == CUSTOM else title_of(self.dataset)
            return (
                f"Whether it predicts well could not be tried: no labelled pictures of {what} are on the computer that "
                "runs this. Check its mean, standard deviation and order of classes yourself."
            )
        described, *others = self.tried
        title = title_of(self.dataset)
        seen = f"It recognises {described.right} of {self.n} pictures of {title} as it is"
        if better := self.better:
            return f"{seen}, but {better.right} {WITH[better.kind]}: {LOOKS[better.kind]}."
        found = ", ".join(f"{each.right} {WITH[each.kind]}" for each in others)
        if 2 * described.right <= self.n:
            return (
                f"{seen}; {found}. So no normalisation helps: check the order of its classes, and that it expects red, "
                "green, blue in this order."
            )
        if any((each.right, each.sure) > (described.right, described.sure) for each in others):
            return f"{seen}; {found}. So few pictures cannot tell which of these is right."
        if any(each.right == described.right for each in others):
            return f"{seen}, where it is surest; {found}. So its normalisation looks right."
        return f"{seen}; {found}. So its normalisation looks right."

    @property
    def figures(self) -> tuple[list[float], list[float]]:
        """The better normalisation's mean and standard deviation, as they are written down."""
        return tuple([round(value, 4) for value in each] for each in (self.better.mean, self.better.std))


def first_look(clf: Classifier) -> Arrival:
    """Show the network up to PICTURES labelled pictures as it is, with the usual normalisation of its data set added,
    and with it removed. Raises ValueError with one sentence if memory runs out.
    """
    pictures = _pictures(clf)
    if not pictures:
        return Arrival(clf.dataset, 0)
    tried = tuple(
        Normalisation(kind, mean, std, *_seen(clf, pictures, mean, std)) for kind, (mean, std) in _variants(clf).items()
    )
    return Arrival(clf.dataset, len(pictures), tried)


def _variants(clf: Classifier) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Mean and standard deviation by kind. What is inside a network of Python cannot be taken out, but undone."""
    described = tuple(tuple(each.flatten().tolist()) for each in (clf.mean, clf.std))
    known = DATA_SETS[clf.dataset]
    usual = known.mean, known.std
    variants = {"described": described}
    if described == NONE:
        variants["added"] = usual
    elif any(
        abs(a - b) > SAME for one, other in zip(described, usual, strict=True) for a, b in zip(one, other, strict=True)
    ):
        variants["usual"] = usual
    if described != NONE:
        variants["removed"] = NONE
    elif isinstance(clf.network, Adapted):
        undone = tuple(-m / s for m, s in zip(*usual, strict=True)), tuple(1 / s for s in usual[1])
        variants["removed"] = undone
    return variants


def _seen(clf: Classifier, pictures: Sequence[tuple[Image, int]], mean: tuple, std: tuple) -> tuple[int, float]:
    """How many are recognised, and the mean probability of the true class; one at a time: it may be a large network."""
    network = read_only_twin(clf).network
    mean, std = (torch.tensor(each, device=clf.device).view(1, 3, 1, 1) for each in (mean, std))
    right, sure = 0, 0.0
    with torch.no_grad(), as_one_sentence():
        for image, label in pictures:
            (logits,) = network((image[None].to(clf.device) - mean) / std)
            right += int(logits.argmax()) == label
            sure += float(logits.softmax(0)[label]) / len(pictures)
    return right, sure


def _pictures(clf: Classifier) -> list[tuple[Image, int]]:
    """Labelled ones of the network's data set, in its size, as far as there are any here."""
    found = DATA_SETS[clf.dataset].first_look(PICTURES) if clf.dataset in DATA_SETS else []
    return [(fit(image, clf.input_size), label) for image, label in found]
