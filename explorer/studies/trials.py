"""Trials of the labels on many pictures: each method against each check, against labels that are known to be wrong,
and, on the rendered signs, against the ground truth of where the evidence lies. Ours.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

import numpy as np
import torch
from torch import Tensor, nn

from explorer.evidence import (
    METHODS,
    SPLITS,
    Case,
    Reversals,
    dissociation,
    explain_pixels,
    labelled,
    methods_for,
    trust,
    undisturbed,
)
from explorer.exact import exact_arithmetic
from explorer.images import from_uint8
from explorer.signs import CLASS_NAMES, GroundTruth, Scene, ground_truth, render
from explorer.types import AttackResult, Evidence, Image, Images, Labels

CONTROLS = ("exchanged", "random weights", "other picture")
RESAMPLES = 2000  # of the bootstrap
POOLED = 9999  # draws of the pooled test, whose p can be as small as 1 / (1 + POOLED)


@dataclass(frozen=True)
class Trial:
    """One picture labelled by one method."""

    picture: int  # which one of those that were given
    evidence: Evidence
    splits: tuple[float, ...]  # D of other splits of the pixels
    controls: dict[str, str]  # colour of the trust card for wrong labels, by their kind in CONTROLS

    @property
    def colour(self) -> str:
        return trust(self.evidence).colour


def try_methods(
    network: nn.Module,
    images: Images,
    adversarial: Images,
    labels: Labels,
    methods: Sequence[str] | None = None,
    controls: bool = True,
    on_progress: Callable[[], object] = lambda: None,
) -> dict[str, list[Trial]]:
    """Label every picture (b, 3, h, w) by every method, by default all that are valid; trials by method, in order."""
    valid = [name for name, problem in methods_for(network, images[0]).items() if problem is None]
    chosen = valid if methods is None else list(methods)
    for name in chosen:
        if name not in valid:
            raise ValueError(f"{name} is not valid for this network; valid are {', '.join(valid)}.")
    with undisturbed(network, images[0]):  # the twin evaluates as well
        twin = random_twin(network) if controls else None
    found: dict[str, list[Trial]] = {name: [] for name in chosen}
    before: dict[str, Tensor] = {}  # the numbers of the picture before, for the control
    for picture, (image, attacked, label) in enumerate(zip(images, adversarial, labels.tolist(), strict=True)):
        with undisturbed(network, image):
            case = Case.of(network, image, attacked, label)
            if not case.n_pixels:
                continue
            reversals = Reversals(case)
            for name in chosen:
                shares = METHODS[name].shares(reversals)
                evidence = labelled(reversals, name, shares, SPLITS)
                splits = dissociation(reversals, shares[0] >= shares[1], SPLITS).splits
                wrong = {}
                if twin is not None:
                    for kind, fake in _wrong_shares(case, name, shares, twin, before.get(name), picture):
                        wrong[kind] = trust(labelled(reversals, name, fake, 0)).colour
                before[name] = shares
                found[name].append(Trial(picture, evidence, splits, wrong))
        on_progress()
    return found


def _wrong_shares(
    case: Case, method: str, shares: Tensor, twin: nn.Module, before: Tensor | None, seed: int
) -> Iterator[tuple[str, Tensor]]:
    """Numbers (2, n) that are known to be wrong, by their kind."""
    n = case.n_pixels
    if n > 1:  # every pixel gets the numbers of another one
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        exchanged = torch.empty_like(shares)
        exchanged[:, order] = shares[:, order.roll(1)]
        yield CONTROLS[0], exchanged
    fake = Case(twin, case.image, case.adversarial, case.label, case.wrong, case.clean_logits, case.logits)
    yield CONTROLS[1], METHODS[method].shares(Reversals(fake))
    if before is not None:
        yield CONTROLS[2], before[:, torch.arange(n) % before.shape[1]]


def random_twin(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with the entries of every weight in random order: as large as before, and without meaning."""
    twin = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in twin.parameters():
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.flatten()[order].view_as(weight))
    return twin


def summary(method: str, trials: Sequence[Trial]) -> dict[str, object]:
    """What the checks say of one method over all pictures."""
    checks = [trial.evidence.checks for trial in trials]
    pixels = [pixel for trial in trials for pixel in trial.evidence.pixels]
    firm = [pixel for pixel in pixels if not pixel.weak]
    gaps = [check.dissociation for check in checks if not math.isnan(check.dissociation)]
    labels = [[pixel.kind for pixel in trial.evidence.pixels] for trial in trials]
    obscuring = rate([kinds.count("obscuring") for kinds in labels], [len(kinds) for kinds in labels])
    colours = [trial.colour for trial in trials]
    wrong = [colour for trial in trials for colour in trial.controls.values()]
    return {
        "method": method,
        "pictures": len(trials),
        "pixels": len(pixels),
        "obscuring": obscuring.value,
        "obscuring, from": obscuring.low,
        "to": obscuring.high,
        "completeness error, median": _middle([check.completeness_error for check in checks]),
        "agreement": fmean(pixel.agrees for pixel in pixels),
        "agreement, firm labels": fmean(pixel.agrees for pixel in firm) if firm else math.nan,
        "firm": len(firm) / len(pixels),
        "D, mean": fmean(gaps) if gaps else math.nan,
        "D > 0": fmean(gap > 0 for gap in gaps) if gaps else math.nan,
        "pooled p": pooled_p(trials),
        "card green": colours.count("green") / len(colours),
        "card red": colours.count("red") / len(colours),
        **{f"red if {kind}": _share_red(trials, kind) for kind in CONTROLS if wrong},
    }


def _share_red(trials: Sequence[Trial], kind: str) -> float:
    colours = [trial.controls[kind] for trial in trials if kind in trial.controls]
    return colours.count("red") / len(colours) if colours else math.nan


def _middle(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan


def pooled_p(trials: Sequence[Trial], seed: int = 0) -> float:
    """That splits without meaning reach the mean D of all pictures: one other split is drawn for each picture, again
    and again.
    """
    known = [trial for trial in trials if trial.splits]
    if not known:
        return math.nan
    random = np.random.Generator(np.random.PCG64(seed))
    total = sum(trial.evidence.checks.dissociation for trial in known)
    drawn = sum(random.choice(np.array(trial.splits), POOLED) for trial in known)
    return (1 + int((drawn >= total - 1e-6).sum())) / (1 + POOLED)


@dataclass(frozen=True)
class Hits:
    """Where the labelled pixels of one picture fall."""

    obscuring: int
    obscuring_hits: int  # on what only the true sign shows
    leading: int
    leading_hits: int  # on what only the wrong sign shows
    true_area: float  # share of the signs' pixels that only the true one shows: the chance of a random pixel
    wrong_area: float
    told: int  # changed pixels on either of the two, where the ground truth names the kind
    told_right: int  # and the label is that kind


def hits(evidence: Evidence, truth: GroundTruth, tolerance: int = 1) -> Hits:
    """Compare the labels with the masks; a pixel may lie `tolerance` pixels beside what it stands for, as strokes are
    hardly wider than that.
    """
    only_true, only_wrong = _widened(truth.only_true, tolerance), _widened(truth.only_wrong, tolerance)
    on_true = [bool(only_true[pixel.row, pixel.col]) for pixel in evidence.pixels]
    on_wrong = [bool(only_wrong[pixel.row, pixel.col]) for pixel in evidence.pixels]
    hides = [pixel.kind == "obscuring" for pixel in evidence.pixels]
    told = [(t, h) for t, w, h in zip(on_true, on_wrong, hides, strict=True) if t != w]
    signs = truth.signs.sum()
    return Hits(
        obscuring=sum(hides),
        obscuring_hits=sum(t and h for t, h in zip(on_true, hides, strict=True)),
        leading=len(hides) - sum(hides),
        leading_hits=sum(w and not h for w, h in zip(on_wrong, hides, strict=True)),
        true_area=float((only_true & truth.signs).sum() / signs),
        wrong_area=float((only_wrong & truth.signs).sum() / signs),
        told=len(told),
        told_right=sum(t == h for t, h in told),
    )


@dataclass(frozen=True)
class Signs:
    """Rendered signs that a network classifies correctly, with the scenes that they were drawn in."""

    images: Images
    labels: Labels
    scenes: tuple[Scene, ...]

    @classmethod
    def draw(cls, network: nn.Module, n: int, first_seed: int, device: torch.device | str = "cpu") -> "Signs":
        """The first `n` from `first_seed` on, the classes in turn; fewer if the network mistakes most of them."""
        images, labels, scenes = [], [], []
        for seed in range(first_seed, first_seed + 10 * n):
            label, scene = seed % len(CLASS_NAMES), Scene.sample(seed)
            image = from_uint8(render(label, scene)).to(device)
            with exact_arithmetic(image.device), torch.no_grad():
                right = int(network(image[None].clone()).argmax()) == label
            if right:
                images.append(image)
                labels.append(label)
                scenes.append(scene)
            if len(images) == n:
                break
        if not images:
            raise ValueError("The network classifies no rendered sign correctly, so there is no ground truth for it.")
        return cls(torch.stack(images), torch.tensor(labels, device=device), tuple(scenes))

    def hits(self, trials: Sequence[Trial]) -> list[Hits]:
        """Where the labels of one method fall, picture by picture."""
        return [
            hits(trial.evidence, ground_truth(self.scenes[trial.picture], trial.evidence.label, wrong))
            for trial in trials
            if (wrong := trial.evidence.adversarial_label) < len(CLASS_NAMES)
        ]


def _widened(mask: np.ndarray, by: int) -> np.ndarray:
    padded = np.pad(mask, by)
    height, width = mask.shape
    shifts = [(row, col) for row in range(2 * by + 1) for col in range(2 * by + 1)]
    return np.any([padded[row : row + height, col : col + width] for row, col in shifts], axis=0)


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % confidence interval, by resampling pictures."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def rate(parts: Sequence[float], wholes: Sequence[float]) -> Rate:
    """The sum of `parts` as a share of the sum of `wholes`, one of each per picture."""
    pairs = np.array([parts, wholes], float).T
    if not pairs[:, 1].any():
        return Rate(math.nan, math.nan, math.nan)
    random = np.random.Generator(np.random.PCG64(0))
    part, whole = pairs[random.integers(0, len(pairs), (RESAMPLES, len(pairs)))].sum(1).T
    with np.errstate(invalid="ignore"):
        low, high = np.nanquantile(part / whole, [0.025, 0.975])
    part, whole = pairs.sum(0)
    return Rate(float(part / whole), float(low), float(high))


def localisation(found: Sequence[Hits]) -> dict[str, Rate]:
    """How often labels fall where they should, the chance of a random pixel of the sign, and the difference."""
    obscuring, leading = [each.obscuring for each in found], [each.leading for each in found]
    by_chance = [each.obscuring * each.true_area for each in found], [each.leading * each.wrong_area for each in found]
    hit = [each.obscuring_hits for each in found], [each.leading_hits for each in found]
    return {
        "obscuring_on_true": rate(hit[0], obscuring),
        "obscuring_chance": rate(by_chance[0], obscuring),
        "obscuring_gain": rate(np.subtract(hit[0], by_chance[0]), obscuring),
        "leading_on_wrong": rate(hit[1], leading),
        "leading_chance": rate(by_chance[1], leading),
        "leading_gain": rate(np.subtract(hit[1], by_chance[1]), leading),
        "kind_right": rate([each.told_right for each in found], [each.told for each in found]),
    }


@dataclass(frozen=True)
class SignTrial:
    """One rendered sign, attacked and labelled, with what is known about it. Tensors are on the CPU."""

    scene: Scene
    image: Image
    adversarial: Image
    evidence: Evidence

    @cached_property
    def other(self) -> Image:
        """The same scene with the sign that the network was led to."""
        return from_uint8(render(self.evidence.adversarial_label, self.scene))

    @cached_property
    def truth(self) -> GroundTruth:
        """What only the one of the two signs shows, and what only the other."""
        return ground_truth(self.scene, self.evidence.label, self.evidence.adversarial_label)


def try_signs(
    network: nn.Module,
    attack: Callable[..., AttackResult],
    signs: Signs,
    method: str,
    on_progress: Callable[[int], object] = lambda done: None,
) -> list[SignTrial]:
    """Attack the signs, one after another, and label those that fool; what `on_progress` raises ends it."""
    found = []
    for done, (image, label, scene) in enumerate(zip(signs.images, signs.labels, signs.scenes, strict=True)):
        on_progress(done)
        result = attack(network, image[None], label[None])
        if not result.succeeded.all():
            continue
        evidence = explain_pixels(network, image, result.adversarial[0], int(label), method, splits=0)
        found.append(SignTrial(scene, image.cpu(), result.adversarial[0].cpu(), evidence))
    return found
