"""What a defence is worth: does the network still see clean pictures, do ready-made attacks survive the filter, and
does an attack that knows of it get through?

A defence that stops only attacks that know nothing of it is none (Athalye et al., arXiv 1802.00420; Tramer et al.,
arXiv 2002.08347), so the attack is run again on the classifier together with the defence, and a random search, which
needs no gradients, looks for what a misleading gradient may have hidden.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from explorer.attacks import Attack
from explorer.defences import Defence, Defended
from explorer.exact import exact_arithmetic
from explorer.numerics import Share
from explorer.studies.bench import rows_by_attack
from explorer.studies.ledger import Row
from explorer.studies.measures import unpack
from explorer.studies.plan import Terms
from explorer.studies.study import Study
from explorer.studies.subject import Subject
from explorer.types import Flags, Images, Labels

NONE = "none"  # the row without a defence


@dataclass(frozen=True)
class Resistance:
    """What one defence did to pictures that the classifier sees correctly without it."""

    defence: str
    clean: Share  # of all pictures: still seen correctly; what is missing to 1 is the defence's cost
    survive: (
        Share  # of attacked pictures whose clean one is seen correctly: still fool, though made without the defence
    )
    adaptive: Share  # of pictures that are seen correctly: fooled by the same attack on classifier and defence together
    adaptive_pixels: float  # mean changed pixels of these; NaN where there is none
    gradient_free: Share  # the same by the random search
    gradient_free_pixels: float
    seconds: float  # for all of it

    @property
    def masked(self) -> bool:
        """The random search, which sees less, fooled more: the gradients mislead, and `adaptive` says too little."""
        return self.gradient_free.hits > self.adaptive.hits


def resistance(
    classifier: nn.Module,
    images: Images,
    labels: Labels,
    defences: Mapping[str, Defence],
    attack: Attack,
    gradient_free: Attack,
    *,
    batch: int,
) -> Iterator[Resistance]:
    """One row without a defence and one for each, as they are done, on images (n, 3, h, w) that the classifier sees as
    `labels` (n,), `batch` at a time.
    """
    plain: tuple[Images, Flags] | None = None
    terms = Terms(mixed=False, kept_pixels=images[0, 0].numel())
    for name, defence in {NONE: None, **defences}.items():
        started = time.perf_counter()
        network = classifier if defence is None else Defended(classifier, defence)
        right = _seen(network, images, batch) == labels
        subject = Subject("", classifier, images[right], labels[right], defence=defence)
        study = Study([subject], [attack, gradient_free], batch=batch, terms=terms)
        while study.advance():
            pass
        found, random = rows_by_attack(study, {"attack": attack, "gradient_free": gradient_free}).values()
        if plain is None:  # the row without a defence: these are the attacks that later rows must withstand
            fools, adversarial = torch.zeros_like(right), images.clone()
            for place, row in zip(right.nonzero()[:, 0].tolist(), found, strict=True):
                fools[place], adversarial[place] = row["succeeded"], unpack(images[place], row["changes"])
            plain = adversarial, fools
        asked = plain[1] & right
        still = _seen(network, plain[0], batch) != labels
        yield Resistance(
            defence=name,
            clean=Share(int(right.sum()), len(right)),
            survive=Share(int((still & asked).sum()), int(asked.sum())),
            adaptive=_fooled(found),
            adaptive_pixels=_mean_pixels(found),
            gradient_free=_fooled(random),
            gradient_free_pixels=_mean_pixels(random),
            seconds=time.perf_counter() - started,
        )


def _fooled(rows: Sequence[Row]) -> Share:
    return Share(sum(row["succeeded"] for row in rows), len(rows))


def _mean_pixels(rows: Sequence[Row]) -> float:
    counts = [row["n_pixels"] for row in rows if row["succeeded"]]
    return sum(counts) / len(counts) if counts else math.nan


def _seen(network: nn.Module, images: Images, batch: int) -> Labels:
    with exact_arithmetic(images.device), torch.no_grad():
        return torch.cat([network(some.clone()).argmax(1) for some in images.split(batch)])
