"""Anew: once more from the clean image, by other means, as where a search ends depends on where it began. Ours."""

from dataclasses import dataclass

from explorer.attacks.stage import Stage


@dataclass(frozen=True)
class Anew:
    """Stages that run one after another, apart from what was found so far; of the two results, the better counts."""

    stages: tuple[Stage, ...]

    name = "polished"

    @property
    def expected(self) -> int:
        """Of all of them."""
        return sum(stage.expected for stage in self.stages)
