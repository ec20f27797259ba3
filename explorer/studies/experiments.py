"""The questions that the paper leaves to be measured, each as settings to try and columns to read.

Those about a, lambda and tau look at the optimised stage alone, where these act; the one about the limit of a change
looks at the whole attack, as every stage has to keep it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.attacks import Attack, SparseAttack
from explorer.studies.plan import grid

BARE = SparseAttack(prune=False, polish=False)
WHOLE = SparseAttack()


@dataclass(frozen=True)
class Experiment:
    """One question: which settings answer it, along which knob, and what to look at."""

    title: str
    question: str
    values: Mapping[str, Sequence[Any]]  # of the knobs that change
    x: str  # the knob along the axis
    lines: str | None  # the knob that tells lines apart
    columns: Mapping[str, str]  # what the table and the curves show: a column of the means, and what it is called
    finding: str = ""  # what it says, in a few sentences
    base: Attack = BARE

    @property
    def settings(self) -> list[Attack]:
        return grid(self.base, self.values)

    @property
    def by(self) -> list[str]:
        """The knobs by which the means are taken."""
        return list(self.values)

    @property
    def stages(self) -> str:
        """Which stages of the attack it looks at, as a sentence."""
        if self.base.prune or self.base.polish:
            return "With pruning and polishing, as the attack is used: the limit holds in every stage."
        return "With the optimised stage alone: pruning and polishing, which come after it, would hide what is asked."


FOOLED, PIXELS = {"success": "fooled, share"}, {"pixels": "changed pixels, mean of the fooled"}
A_VALUES = (0.01, 0.03, 0.1, 0.3, 1.0)

EXPERIMENTS: dict[str, Experiment] = {
    "lambda": Experiment(
        title="λ: sparsity against fooling",
        question="What does the weight of sparsity buy, and when does it cost the attack?",
        finding=(
            "Up to 0.001, λ leaves the dense start as it is. From 0.01 to 1 the pixels fall: from 110 to 9 on the "
            "signs, from 40 to 8 on CIFAR-10. At 3 they rise again, and at 10 many runs stay at the dense start. No "
            "picture is lost: what λ costs is confidence (0.85 to 0.56, 0.87 to 0.70), not fooling. The paper's "
            "range, 1e-4 to 1e-2, is one of raw gradients; with the normalised ones here, λ lives around 1."
        ),
        values={"lam": (1e-4, 1e-3, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0)},
        x="lam",
        lines=None,
        columns=PIXELS | FOOLED | {"confidence": "confidence in the wrong class, mean"},
    ),
    "surrogate": Experiment(
        title="Normal or sigmoid",
        question="Is the count of pixels better smoothed by the normal's integral or by the logistic sigmoid?",
        finding=(
            "Each at its best width, they differ little: 9 pixels with the normal at a = 0.1 and 11 with the sigmoid "
            "at 0.03 on the signs, 8.0 and 7.9 on CIFAR-10, where the sigmoid is there sooner (step 36 against 57, "
            "and 52 against 68). The sigmoid has the longer tail, so the same a is wider: at 0.3 it leaves 452 pixels "
            "on the signs, the normal 90."
        ),
        values={"surrogate": ("normal", "sigmoid"), "a": (0.03, 0.1, 0.3)},
        x="a",
        lines="surrogate",
        columns=PIXELS | FOOLED | {"converged_step": "step of the best picture, mean"},
    ),
    "width": Experiment(
        title="a: closeness against stability",
        question="A narrow normal is close to the true count, a wide one has slope: what does the width trade?",
        finding=(
            "Up to 0.03 the smoothed count is the true one, but the normal has no slope where the weights start: all "
            "runs settle at once, at the dense start. At 0.1 the count is still nearly the true one and most runs "
            "settle (all on the signs, 70 % on CIFAR-10), at 26 and 7 pixels. From 0.3 on the smoothed count is at "
            "most 41 % of the true one, and hardly any run settles. The paper's a = 0.1 is the one that works."
        ),
        values={"schedule": ("constant",), "a": A_VALUES},
        x="a",
        lines=None,
        columns={"closeness": "smoothed over true count, mean", "settled": "runs that settle, share"} | FOOLED | PIXELS,
    ),
    "schedule": Experiment(
        title="Constant or annealed",
        question="Should the width stay, or fall over the steps?",
        finding=(
            "On the signs it should fall: 9 pixels against 26 at a = 0.1, and 55 against the dense start at 0.03. On "
            "CIFAR-10 that is so at 0.03 (17 against the dense start), but at 0.1 a constant width is no worse: 7 "
            "pixels against 8. The price of annealing is that the best picture comes later (step 57 against 46, and "
            "68 against 50) and that fewer runs settle: 81 % against all, and 39 % against 70 %."
        ),
        values={"schedule": ("constant", "annealed"), "a": (0.03, 0.1, 0.3)},
        x="a",
        lines="schedule",
        columns=PIXELS
        | FOOLED
        | {"settled": "runs that settle, share", "converged_step": "step of the best picture, mean"},
    ),
    "limit": Experiment(
        title="How faint can it be?",
        question="How many more pixels does it take if none may change by much, and when is the network not fooled?",
        finding=(
            "Half the step costs little: 7.9 pixels against 5.8 on the signs, 2.6 against 2.2 on CIFAR-10. From there "
            "on the two trade about evenly on the signs: 12 pixels at 0.3, 51 at 0.1, 140 at 0.05, all pictures still "
            "fooled. CIFAR-10 is more fragile: at 0.1, 6 pixels, at 0.02, which is 5 of 255 levels, 34. Below that the "
            "network begins to hold: at 0.02 it is fooled on 75 % of the signs, at 0.01 (2 levels) on 10 %, and on "
            "75 % of CIFAR-10; the means of pixels are then those of the pictures that were easy."
        ),
        values={"max_change": (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)},
        x="max_change",
        lines=None,
        columns=PIXELS | FOOLED | {"confidence": "confidence in the wrong class, mean"},
        base=WHOLE,
    ),
}
