"""Anew: once more from the clean image, by other means, as where a search ends depends on where it began. Ours."""

from dataclasses import dataclass

from torch import Tensor

from explorer.attacks.stage import Stage

MORE = 2  # a start with over so many units more than the best so far is given up


@dataclass(frozen=True)
class Anew:
    """Stages that run one after another, apart from what was found so far; of the two results, the better counts.

    The last one polishes, and leaves out the images whose new start has far more units than what was found: such a
    start seldom ends as the better one.
    """

    stages: tuple[Stage, ...]

    name = "polished"

    @staticmethod
    def hopeless(units: Tensor, fewest: Tensor) -> Tensor:
        """Which new starts (b,) are given up, by their `units` and the `fewest` so far, (b,) each."""
        return units > fewest + MORE

    @property
    def expected(self) -> int:
        """Of all of them."""
        return sum(stage.expected for stage in self.stages)
