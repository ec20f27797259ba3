"""The nouns that every floor shares: shapes, the attack's result, the evidence. No logic beyond reading them."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from jaxtyping import Bool, Float, Int
from torch import Tensor

from explorer.grid import changed_pixels, changed_values

Image = Float[Tensor, "3 h w"]  # RGB in [0, 1]
Images = Float[Tensor, "b 3 h w"]
Logits = Float[Tensor, "b k"]
PerImage = Float[Tensor, " b"]
Labels = Int[Tensor, " b"]  # class indices
Counts = Int[Tensor, " b"]
Flags = Bool[Tensor, " b"]

Network = Callable[[Images], Logits]  # any torch module from [0, 1] images to logits

Kind = Literal["obscuring", "leading"]
Gradient = Literal["finite", "not finite", "zero", "unused"]  # of the network, as an attack found it
STAGES = ("optimised", "pruned", "polished", "random")  # the attack's own steps, then the stages that refine them


@dataclass(frozen=True)
class Step:
    """What a running attack tells its caller after each step; the caller answers True to stop it."""

    stage: str  # one of STAGES
    done: int  # steps done so far, over all stages
    total: int  # steps expected over all stages
    n_pixels: Counts  # changed pixels of the best adversarial image so far; h * w where there is none yet
    margin: PerImage  # z_y - max_{k != y} z_k of the current iterate (targeted: max_{k != t} z_k - z_t); < 0 fools
    current: Images | None = None  # that iterate; in the later stages the best image
    so_far: "Callable[[], AttackResult] | None" = None  # the result, if the attack ended now; to be asked at once


OnStep = Callable[[Step], "bool | Bool[Tensor, ' b'] | None"]  # True stops all images, flags stop those that are True


@dataclass(frozen=True)
class Trace:
    """How the optimised stage went, per step and image: tensors of shape (steps run, b), on the CPU."""

    margin: Float[Tensor, "steps b"]
    n_pixels: Int[Tensor, "steps b"]
    loss: Float[Tensor, "steps b"]


@dataclass(frozen=True)
class AttackResult:
    """What an attack found for a batch of images. Everything is judged on the 8-bit grid: multiples of 1/255.

    Where an image was not fooled, `adversarial` holds the attempt that came closest (least margin).
    """

    images: Images  # the clean images
    labels: Labels  # the true class, or the class that was attacked
    targets: Labels | None
    adversarial: Images  # the final images
    adversarial_labels: Labels  # predicted on .adversarial
    succeeded: Flags  # prediction differs from `labels` (targeted: equals `targets`), by a lead of kappa
    stages: dict[str, Images]  # adversarial images after each stage that ran; keys from STAGES
    trace: Trace
    stopped: bool = False  # True when on_step asked to stop: the result is the best until then
    weights: Float[Tensor, "b n"] | None = None  # v in [0, 1] of each unit at the optimised stage's last step, if any
    gradient: Gradient = "finite"  # on the first image; values whose gradient is not finite are left alone
    was_training: bool = False  # the network was in training mode; it was attacked in evaluation mode

    @property
    def n_pixels(self) -> Counts:
        """Spatial positions at which any channel changed."""
        return changed_pixels(self.images, self.adversarial).flatten(1).sum(1)

    @property
    def n_entries(self) -> Counts:
        """Channel values that changed."""
        return changed_values(self.images, self.adversarial).flatten(1).sum(1)

    def of(self, index: int) -> "AttackResult":
        """That of one image, as if it had been alone."""
        rows = slice(index, index + 1)
        per_image = ("images", "labels", "targets", "adversarial", "adversarial_labels", "succeeded", "weights")
        own = {name: None if getattr(self, name) is None else getattr(self, name)[rows].clone() for name in per_image}
        trace = Trace(*(getattr(self.trace, each.name)[:, rows].clone() for each in fields(Trace)))
        return replace(
            self, **own, stages={name: each[rows].clone() for name, each in self.stages.items()}, trace=trace
        )

    def stage_pixels(self) -> dict[str, Counts]:
        """Changed pixels after each stage that ran."""
        return {name: changed_pixels(self.images, images).flatten(1).sum(1) for name, images in self.stages.items()}


@dataclass(frozen=True)
class PixelLabel:
    """One changed pixel and what it does."""

    row: int  # from the top, 0-based
    col: int  # from the left, 0-based
    before: tuple[int, int, int]  # RGB, 0..255
    after: tuple[int, int, int]
    obscuring: float  # how much the change lowers the true class's centred logit
    leading: float  # how much the change raises the wrong class's centred logit
    kind: Kind  # the larger of the two
    weak: bool  # both are small, or they are close: do not lean on the kind
    reversal_obscuring: float  # the same two numbers from reverting this pixel alone
    reversal_leading: float
    reversal_kind: Kind

    @property
    def agrees(self) -> bool:
        """Whether the reversal, which knows nothing of saliency, gives the same kind."""
        return self.kind == self.reversal_kind

    def at(self, row: int, col: int) -> "PixelLabel":
        """The same pixel somewhere else."""
        return replace(self, row=row, col=col)


@dataclass(frozen=True)
class Checks:
    """Tests of the labels that can fail. NaN where a check is undefined (no changed pixel, one kind only)."""

    completeness_error: float  # |1 - sum of shares / change of the logits|, the worse class; NaN if nothing must add up
    agreement: float  # share of pixels whose kind the single reversal confirms
    kappa: float  # Cohen's kappa of the same two labellings
    rank_correlation: float  # Spearman's rho of (obscuring - leading) against the reversal's
    additivity: float  # |1 - sum of single reversals / change of the true logit|: large = the pixels act jointly
    dissociation: float  # D: how much better the two groups do what they are called than each other's task; -2 .. 2
    dissociation_p: float  # that labels without meaning reach this D; NaN if not asked for


@dataclass(frozen=True)
class Evidence:
    """Why the network changed its mind: one label per changed pixel, and checks of the labels."""

    pixels: tuple[PixelLabel, ...]
    checks: Checks
    method: str  # a key of explorer.evidence.METHODS
    label: int
    adversarial_label: int

    unit: str = "logits"  # of obscuring and leading; some methods give a share of their map's largest value

    def count(self, kind: Kind) -> int:
        return sum(pixel.kind == kind for pixel in self.pixels)


@dataclass(frozen=True)
class Sample:
    """A picture that someone can attack, with where it comes from."""

    name: str  # unique, stable: it goes into links
    image: Image
    label: int | None = None  # None: unknown, the prediction takes its place
    caption: str = ""
    meta: dict = field(default_factory=dict)
    dataset: str = ""  # whose classes `label` counts, see samples.DATA_SETS; it says nothing to networks of another

    def label_for(self, dataset: str) -> int | None:
        """The true class as a network of this data set counts it, where that is known."""
        return self.label if self.dataset == dataset else None
