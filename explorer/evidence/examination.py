"""The long look at one picture: what other methods say, and every check."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from explorer.adapter import adapted
from explorer.evidence.attributions import DEFAULT_METHOD, MAPS, METHODS, problem_of, problems_of
from explorer.evidence.attributions.attention import gradient_per_patch, rollout_per_patch
from explorer.evidence.attributions.no_trace import undisturbed
from explorer.evidence.case import Case
from explorer.evidence.checks import Asm, Curve, adversarial_saliency, curves, relative_infidelity
from explorer.evidence.labels import SPLITS, kinds, labelled
from explorer.evidence.reversal import Reversals
from explorer.types import Evidence, Image, Kind, Network

OnProgress = Callable[[int, int, str], object]  # done, total, what comes now


@dataclass(frozen=True)
class Examination:
    """All that is known about the labels of one picture."""

    evidence: Evidence  # of the method that was asked for, with the p of the group reversal
    others: dict[str, tuple[Kind, ...]]  # by other method: its vote, the kind of every changed pixel
    not_valid: dict[str, str]  # methods that this network does not allow, and why
    deletion: Curve
    insertion: Curve
    infidelity: float  # relative: 0 is exact, 1 as bad as foretelling nothing
    adversarial_saliency: Asm

    def agreeing(self, pixel: int) -> int:
        """How many of the other methods give this pixel the kind that is shown."""
        return sum(votes[pixel] == self.evidence.pixels[pixel].kind for votes in self.others.values())


def examine(
    network: Network,
    image: Image,
    adversarial: Image,
    label: int,
    method: str = DEFAULT_METHOD,
    others: Collection[str] = tuple(METHODS),
    on_progress: OnProgress = lambda done, total, text: None,
) -> Examination:
    """Ask `method` and those of the `others` that are valid for the network, and make every check of `method`.

    As explain_pixels, but at least one pixel must have changed. What `on_progress` raises ends it.
    """
    with undisturbed(network, image):
        case = Case.of(network, image, adversarial, label)
        if not case.n_pixels:
            raise ValueError("No pixel changed, so there is nothing to examine.")
        problems = problems_of(case.network, case.image)
        if method not in METHODS or problems[method]:
            raise ValueError(f"method must be one that is valid for this network; got {method!r}.")
        if unknown := set(others) - set(METHODS):
            raise ValueError(f"others must be methods; {', '.join(sorted(unknown))} is none.")
        asked = [name for name in METHODS if name == method or (name in others and not problems[name])]
        total, reversals = len(asked) + 4, Reversals(case)
        shares = {}
        for done, name in enumerate(asked):
            on_progress(done, total, f"Asking {METHODS[name].title}")
            shares[name] = METHODS[name].shares(reversals)
        on_progress(len(asked), total, "Putting groups of pixels back")
        evidence = labelled(reversals, method, shares[method], SPLITS)
        on_progress(len(asked) + 1, total, "Deleting and inserting pixels in order")
        deletion, insertion = curves(reversals, shares[method])
        on_progress(len(asked) + 2, total, "Measuring the infidelity")
        infidelity = relative_infidelity(reversals, shares[method])
        on_progress(len(asked) + 3, total, "Comparing with the adversarial saliency")
        return Examination(
            evidence,
            {name: kinds(each) for name, each in shares.items() if name != method},
            {name: problem for name, problem in problems.items() if problem},
            deletion,
            insertion,
            infidelity,
            adversarial_saliency(case),
        )


@dataclass(frozen=True, eq=False)
class PatchAttention:
    """How much each patch of a picture is attended to, by a transformer that has gh x gw patches."""

    rollout: np.ndarray  # (gh, gw): attention rollout, of no class
    gradient: np.ndarray  # (k, gh, gw): gradient-weighted, for each of the classes that were asked for; never negative


def patch_attention(network: Network, image: Image, labels: Sequence[int]) -> PatchAttention:
    """Where the network attends on `image` (3, h, w), for these classes. ValueError if it is no such transformer."""
    with undisturbed(network, image):
        network, n_classes = adapted(network, image[None])
        if not all(0 <= label < n_classes for label in labels):
            raise ValueError(f"labels must lie in 0..{n_classes - 1}; got {', '.join(map(str, labels))}.")
        if problem := problem_of("attention_rollout", network, image):
            raise ValueError(f"The attention of this network cannot be followed: {problem}.")
        maps = rollout_per_patch(network, image), gradient_per_patch(network, image, labels)
        return PatchAttention(*(np.array(each.tolist()) for each in maps))


def class_maps(network: Network, image: Image, adversarial: Image, label: int, name: str) -> torch.Tensor:
    """Where the network looks: (2, h, w), raw and signed. The true class on the clean image, the wrong class on the
    adversarial one. `name` is a key of MAPS that is valid for the network.
    """
    with undisturbed(network, image):
        case = Case.of(network, image, adversarial, label)
        problem = "there is no such map" if name not in MAPS else problem_of(name, case.network, case.image)
        if problem:
            raise ValueError(f"No map {name!r} for this network: {problem}.")
        return MAPS[name].of(case).cpu()
