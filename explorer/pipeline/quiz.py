"""Riddles about changed pixels whose answer the network itself gives: what putting a pixel back does. Ours."""

from dataclasses import dataclass

import torch

from explorer.classifiers import Classifier
from explorer.evidence import Case, Reversals
from explorer.exact import exact_arithmetic
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.pipeline.exploration import Exploration
from explorer.types import Kind

CLEAR = 1.3  # times the other effect that the larger one is, of a pixel that is asked about
FELT = 0.05  # of the strongest effect in the picture: smaller ones are not asked about


@dataclass(frozen=True)
class Riddle:
    """One changed pixel, and what putting it back does to the two classes, in logits."""

    pixel: int  # index among the changed pixels
    returned: float  # to the true class
    taken: float  # from the wrong class

    @property
    def kind(self) -> Kind:
        """What the reversal says that the pixel is."""
        return "obscuring" if self.returned >= self.taken else "leading"


def riddles(exploration: Exploration) -> tuple[Riddle, ...]:
    """The pixels that can be asked about: neither is their label weak, nor is the reversal's answer close."""
    if exploration.evidence is None:
        return ()
    pixels = exploration.evidence.pixels
    strongest = max(max(abs(each.reversal_obscuring), abs(each.reversal_leading)) for each in pixels)
    found = []
    for index, pixel in enumerate(pixels):
        larger, smaller = sorted((pixel.reversal_obscuring, pixel.reversal_leading), reverse=True)
        if not pixel.weak and larger >= FELT * strongest and larger >= CLEAR * max(smaller, 0):
            found.append(Riddle(index, pixel.reversal_obscuring, pixel.reversal_leading))
    return tuple(found)


def fewest_back(clf: Classifier, exploration: Exploration, sure: float) -> int:
    """How many pixels need be put back, the most helpful first, until the network gives the attacked class a
    probability of `sure`: found greedily, so fewer may do. All of them, if not even that is enough.
    """
    with exact_arithmetic(clf.device), as_one_sentence():
        image, adversarial = (each.to(clf.device) for each in (exploration.image, exploration.adversarial))
        reversals = Reversals(Case.of(read_only_twin(clf), image, adversarial, exploration.label))
        back = torch.zeros(reversals.case.n_pixels, dtype=torch.bool)
        while not back.all():
            tried = back | torch.eye(len(back), dtype=torch.bool)[~back]
            shares = reversals(tried).softmax(1)[:, exploration.label]
            back = tried[int(shares.argmax())]
            if float(shares.max()) >= sure:
                break
    return int(back.sum())
