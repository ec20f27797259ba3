"""What is left of the run before: which pixels came, stayed and went."""

from dataclasses import dataclass

from explorer.grid import changed_pixels, same_picture
from explorer.pipeline.exploration import Exploration
from explorer.types import Image

Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Ghost:
    """The changed pixels of the run before beside those of now."""

    came: frozenset[Place]
    stayed: frozenset[Place]
    went: frozenset[Place]

    @classmethod
    def of(cls, before: Exploration, now: Exploration) -> "Ghost":
        """Compared at the stage that is shown now, or at the last of the run before, where it had no such stage."""
        stages = before.result.stages
        picture = stages[now.stage][0] if now.stage in stages else before.adversarial
        old, new = _places(before.image, picture), _places(now.image, now.adversarial)
        return cls(new - old, new & old, old - new)

    @property
    def told(self) -> str:
        """In one sentence."""
        if not self.came and not self.went:
            return "The same pixels as in the run before."
        return (
            f"Since the run before: {len(self.came):,} new (with a green ring), {len(self.stayed):,} stayed, "
            f"{len(self.went):,} gone (hollow)."
        )


def same_subject(one: Exploration, other: Exploration) -> bool:
    """Whether both are runs of one network on one picture."""
    return one.network == other.network and same_picture(one.image, other.image)


def same_settings(one: Exploration, other: Exploration) -> bool:
    """Whether both were attacked in the same way, whatever is shown of it."""
    return (one.attack, one.target, one.region) == (other.attack, other.target, other.region)


def _places(image: Image, picture: Image) -> frozenset[Place]:
    return frozenset(map(tuple, changed_pixels(image, picture).nonzero().tolist()))
