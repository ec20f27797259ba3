"""What all attacks have in common: settings, what an attack can do, and how it is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from explorer.attacks.driver import run
from explorer.attacks.growing import Growing
from explorer.attacks.polishing import Polishing
from explorer.attacks.problem import Problem
from explorer.attacks.stage import Stage, State
from explorer.knobs import check, knob
from explorer.types import AttackResult, Images, Labels, Network, OnStep


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A frozen dataclass of knobs, called with (network, images, labels). An attack from a paper adds its own knobs,
    and is a Stage: `rounds`, `start` and one pure `step`. The driver does everything else.
    """

    title: ClassVar[str]  # what it is called on the page
    summary: ClassVar[str]  # one sentence
    source: ClassVar[str]  # the paper, or "ours"
    main: ClassVar[tuple[str, ...]]  # the knobs that are shown first
    presets: ClassVar[dict[str, dict[str, Any]]] = {}  # further settings by name: what they change
    per_image: ClassVar[tuple[str, ...]] = ()  # knobs that may be tensors (b,): one setting per image
    has_weights: ClassVar[bool] = False  # its result has the weights of the last step
    black_box: ClassVar[bool] = False  # its own steps need no gradients

    unit: str = knob(
        "pixel", "What is counted: pixels (all three channels together) or entries (single channel values).",
        choices=("pixel", "entry"),
    )  # fmt: skip
    prune: bool = knob(True, "Take changes back, one by one, while the picture still fools.")
    polish: bool = knob(True, "Push the surviving pixels further and swap them, so that fewer are enough.")
    swaps: int = knob(10, "Rounds of swaps in polishing.", low=0, high=1000, slider=(0, 50))
    kicks: int = knob(
        1, "How often polishing builds half of the pixels anew where no swap helps.", low=0, high=100, slider=(0, 5)
    )
    candidates: int = knob(
        32, "Pixels that are tried in each round of a search, those that promise most.", low=1, high=10_000,
        slider=(8, 128),
    )  # fmt: skip
    random_queries: int = knob(
        0, "Last stage, without gradients: tries so many random pixels and colours, to get by with one pixel less.",
        label="queries of a last random search", low=0, high=100_000, slider=(0, 5000),
    )  # fmt: skip
    max_pixels: int | None = knob(
        None, "At most this many pixels (entries) may change; empty: no limit.", label="at most k pixels",
        low=1, high=10**9, slider=(1, 100),
    )  # fmt: skip
    max_change: float = knob(
        1.0, "Largest step of any channel of a changed pixel, in [0, 1] units: fainter changes need more pixels.",
        label="largest change", low=1 / 255, high=1, slider=(0.01, 1.0), log=True,
    )  # fmt: skip
    kappa: float = knob(
        0.0, "How far the wrong class must lead, in logits (κ of arXiv 1608.04644): more takes more pixels, and other "
        "networks are fooled more often.",
        label="κ · lead of the wrong class", low=0, high=1000, slider=(0.0, 20.0),
    )  # fmt: skip
    seed: int = knob(0, "Of all that is drawn at random.", low=0, high=2**31 - 1, slider=(0, 20))

    name: ClassVar[str] = "optimised"
    capturable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check(self)

    @property
    def rounds(self) -> int:
        """Steps of the attack's own stage, at most."""
        raise NotImplementedError

    @property
    def expected(self) -> int:
        """Steps that a caller may expect."""
        return self.rounds

    @property
    def needs_units(self) -> int:
        """How many units must be free to change, at least."""
        return 1

    @property
    def polishing(self) -> list[Stage]:
        """The stages that look for fewer units."""
        return [Growing(self.candidates), Polishing(self.swaps, self.kicks, self.candidates)]

    @property
    def second_starts(self) -> Sequence[Stage]:
        """Stages that make other starts for polishing, each from the clean image."""
        return ()

    def start(self, problem: Problem, images: Images) -> State:
        """See Stage."""
        raise NotImplementedError

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """See Stage."""
        raise NotImplementedError

    def __call__(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None = None,
        on_step: OnStep | None = None,
        *,
        region: Tensor | None = None,
    ) -> AttackResult:
        """Attack images (b, 3, h, w) in [0, 1], which are rounded to the 8-bit grid first; labels, targets (b,).

        `on_step` hears of every step and may answer True to stop; the result is then the best so far. `region` (h, w)
        or (b, h, w) bool: only pixels where it is True change. Raises ValueError on bad input. Failing to fool an image
        is no error: see AttackResult.succeeded.

        On a CPU where torch uses one thread, each image's result is the same as without the others, to the last bit, if
        the network treats images one by one.
        """
        return run(self, network, images, labels, targets, on_step, region=region)
