"""explore(): from a picture to the pixels that changed the network's mind, in one function."""

import time
from dataclasses import dataclass

import torch

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD, SPLITS, explain_pixels
from explorer.exact import exact_arithmetic
from explorer.grid import changed_pixels, changed_values, check_values, same_picture, to_grid
from explorer.locks import exclusive
from explorer.numerics import percent
from explorer.pipeline.findings import Finding, diagnose, remarks
from explorer.regions import Region
from explorer.types import AttackResult, Evidence, Image, Images, OnStep

MOST_LABELLED, MOST_VALUES = 1500, 2**26  # changed pixels, and the floats of as many pictures, that are labelled


@dataclass(frozen=True)
class Exploration:
    """One picture, attacked and explained after one stage of the attack. Tensors are on the CPU, pictures on the 8-bit
    grid.
    """

    network: str
    dataset: str
    class_names: tuple[str, ...]
    attack: Attack  # with its settings
    true_label: int | None  # None where nobody knows it
    label: int  # what the network sees in the clean picture: the class that was attacked
    target: int | None  # None: any wrong class
    result: AttackResult
    stage: str  # one of STAGES: the one whose picture is shown
    image: Image
    adversarial: Image
    adversarial_label: int
    before: torch.Tensor  # probability of each class, on the clean picture
    after: torch.Tensor  # and on the adversarial one
    evidence: Evidence | None  # None where no pixel changed, or more than most_labelled
    attack_seconds: float  # of computing; in a batch, this picture's share
    evidence_seconds: float
    region: Region | None = None  # where pixels were allowed to change; None: everywhere

    @property
    def n_pixels(self) -> int:
        """Changed pixels of the picture that is shown."""
        return int(changed_pixels(self.image, self.adversarial).sum())

    @property
    def n_entries(self) -> int:
        """Changed channel values of the picture that is shown."""
        return int(changed_values(self.image, self.adversarial).sum())

    @property
    def size(self) -> int:
        """Pixels of the whole picture."""
        return self.image.shape[1] * self.image.shape[2]

    @property
    def succeeded(self) -> bool:
        """Whether the picture that is shown fools the network (targeted: into the target)."""
        if self.target is not None:
            return self.adversarial_label == self.target
        return self.adversarial_label != self.label

    def same_attack(self, other: "Exploration") -> bool:
        """Whether the other one differs at most in how its pixels are labelled."""
        settings = ("network", "attack", "label", "target", "stage", "region")
        return all(getattr(self, name) == getattr(other, name) for name in settings) and all(
            same_picture(getattr(self, name), getattr(other, name)) for name in ("image", "adversarial")
        )

    @property
    def already_wrong(self) -> bool:
        """The network mistakes the clean picture, so it was attacked from the class that it sees."""
        return self.true_label is not None and self.true_label != self.label

    @property
    def unlabelled(self) -> str:
        """Why the pixels have no labels; nothing where they have."""
        if self.evidence is not None:
            return ""
        if not self.n_pixels:
            return "No pixel changed, so there is nothing to label."
        most = most_labelled(self.image)
        return f"{self.n_pixels:,} pixels changed: too many to label one by one, which is done of {most:,} at most."

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is not as it should be, and what might be turned: see explorer.pipeline.advise."""
        return diagnose(self.result, self.attack, succeeded=self.succeeded, confined=self.region is not None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else is worth knowing of the run, in a sentence each."""
        return remarks(self.result)

    @property
    def story(self) -> str:
        """What happened, in one sentence."""
        before = f"{self.class_names[self.label]}, {percent(self.before[self.label])}"
        after = f"{self.class_names[self.adversarial_label]}, {percent(self.after[self.adversarial_label])}"
        count = f"{self.n_pixels:,} of {self.size:,} pixels"
        where = f", inside the region of {self.region.told}" if self.region else ""
        if self.succeeded:
            return f"{before} → {after}, by {count}{where}"
        missed = "not fooled" if self.target is None else f"{self.class_names[self.target]} not reached"
        return f"{before} → {after}: {missed}, with {count} changed{where}"

    def top(self, n: int = 5) -> list[int]:
        """The `n` classes that are likeliest before or after, the likeliest after the attack first."""
        n = min(n, len(self.class_names))
        either = self.before.maximum(self.after).topk(n).indices.tolist()
        return sorted(either, key=lambda label: float(self.after[label]), reverse=True)


def explore(
    clf: Classifier,
    image: Image,
    attack: Attack,
    *,
    label: int | None = None,
    target: int | None = None,
    region: Region | None = None,
    method: str = DEFAULT_METHOD,
    stage: str | None = None,
    on_step: OnStep | None = None,
    earlier: Exploration | None = None,
    splits: int = SPLITS,
) -> Exploration:
    """Attack `image`, put on the 8-bit grid, from the class that the network sees in it, and label every changed pixel.

    `label`: the true class, if it is known. `region`: where pixels may change, by default everywhere. `stage`: whose
    picture to explain, by default the attack's last.
    `earlier`: an exploration of the same picture, network and settings: its attack is not run again, only explained.
    `splits`: see explain_pixels.
    Where more pixels changed than most_labelled says, none is labelled.
    Raises ValueError with one sentence if the picture or the region does not fit the network, the picture is not in
    [0, 1], the target is no other class, or the region has fewer pixels than the attack needs.
    """
    asked = Asked(image, attack, label=label, target=target, region=region, method=method, stage=stage)
    clean = prepared(clf, asked)
    if earlier is not None:
        return explained(clf, asked, clean, earlier.result, earlier.attack_seconds, splits)
    clock = Clock(clf.device)
    seen = torch.tensor([clean.label], device=clf.device)
    targets = None if target is None else torch.tensor([target], device=clf.device)
    mask = None if region is None else region.mask
    result = attack(clf, clean.image[None], seen, targets=targets, on_step=on_step, region=mask)
    return explained(clf, asked, clean, result, clock.seconds, splits)


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know of a network; see explore."""

    image: Image
    attack: Attack
    label: int | None = None
    target: int | None = None
    region: Region | None = None
    method: str = DEFAULT_METHOD
    stage: str | None = None


@dataclass(frozen=True)
class Clean:
    """A picture as the network sees it, before anything is changed."""

    image: Image  # on the 8-bit grid, on the network's device
    probabilities: torch.Tensor  # (k,)

    @property
    def label(self) -> int:
        """The class that the network sees."""
        return int(self.probabilities.argmax())


class Clock:
    """Seconds of computing: on a CPU, this thread's own, whoever else shares the cores."""

    def __init__(self, device: torch.device) -> None:
        self._now = time.thread_time if device.type == "cpu" else time.perf_counter
        self._started = self._now()

    @property
    def seconds(self) -> float:
        return self._now() - self._started


def prepared(clf: Classifier, asked: Asked) -> Clean:
    """The clean picture and what the network sees in it. Raises ValueError as explore does."""
    image, target, region = asked.image, asked.target, asked.region
    if tuple(image.shape) != (3, *clf.input_size):
        height, width = clf.input_size
        raise ValueError(f"{clf.name} expects a picture of shape (3, {height}, {width}); got {tuple(image.shape)}.")
    if region is not None and region.size != tuple(clf.input_size):
        (height, width), (rows, columns) = clf.input_size, region.size
        raise ValueError(f"{clf.name} sees {height} × {width} pixels; the region is one of {rows} × {columns}.")
    check_values("The picture", image)
    images = to_grid(image[None].to(clf.device))
    clean = Clean(images[0], probabilities(clf, images)[0])
    if target == clean.label:
        raise ValueError(f"The network already sees {clf.class_names[target]}: choose another target.")
    return clean


def explained(
    clf: Classifier, asked: Asked, clean: Clean, result: AttackResult, attack_seconds: float, splits: int = SPLITS
) -> Exploration:
    """The exploration that the result of an attack on one picture is, its changed pixels labelled."""
    clock = Clock(clf.device)
    stage = asked.stage if asked.stage in result.stages else list(result.stages)[-1]
    adversarial = to_grid(result.stages[stage].to(clf.device))
    after = probabilities(clf, adversarial)
    evidence, n_pixels = None, int(changed_pixels(clean.image[None], adversarial).sum())
    if 0 < n_pixels <= most_labelled(clean.image):
        evidence = explain_pixels(clf, clean.image, adversarial[0], clean.label, method=asked.method, splits=splits)
    return Exploration(
        network=clf.name,
        dataset=clf.dataset,
        class_names=tuple(clf.class_names),
        attack=asked.attack,
        true_label=asked.label,
        label=clean.label,
        target=asked.target,
        result=result,
        stage=stage,
        image=clean.image.cpu(),
        adversarial=adversarial[0].cpu(),
        adversarial_label=int(after.argmax()),
        before=clean.probabilities.cpu(),
        after=after[0].cpu(),
        evidence=evidence,
        attack_seconds=attack_seconds,
        evidence_seconds=clock.seconds,
        region=asked.region,
    )


def most_labelled(image: Image) -> int:
    """How many changed pixels are labelled at most: each takes a forward pass of its own."""
    return min(MOST_LABELLED, MOST_VALUES // image.numel())


def probabilities(clf: Classifier, images: Images) -> torch.Tensor:
    """Softmax of the logits, (b, k)."""
    with exclusive(clf), exact_arithmetic(images.device), torch.no_grad():
        return clf(images).softmax(1)
