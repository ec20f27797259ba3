"""What if: pixels put back, all changes weaker or stronger, single pixels elsewhere; what the network sees then."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import torch

from explorer.classifiers import Classifier
from explorer.evidence import Case, Reversals, SmallestSet, smallest_repair, smallest_still_fooling
from explorer.exact import exact_arithmetic
from explorer.grid import changed_values, levels, to_grid
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.numerics import margins
from explorer.pipeline.exploration import Exploration
from explorer.types import Image

Move = tuple[int, int]  # rows down, columns to the right


@dataclass(frozen=True)
class WhatIf:
    """Changes to the changed pixels of an exploration, which are named by their index."""

    back: frozenset[int] = frozenset()  # put back
    strength: float = 1.0  # of all changes: 0 is the clean picture, 1 the attacked one, at most 1.5
    moves: dict[int, Move] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1.5:
            raise ValueError(f"strength must lie in [0, 1.5]; got {self.strength}.")

    def toggled(self, pixels: Iterable[int]) -> "WhatIf":
        """Put these back, or change them again where they are back."""
        return replace(self, back=self.back ^ frozenset(pixels))

    def with_back(self, pixels: Iterable[int]) -> "WhatIf":
        """Put exactly these back."""
        return replace(self, back=frozenset(pixels))

    def moved(self, exploration: Exploration, pixel: int, down: int, right: int) -> "WhatIf":
        """Move one pixel further, at most to the border."""
        so_far, start = self.moves.get(pixel, (0, 0)), _pixels(exploration)[pixel]
        further = replace(self, moves={**self.moves, pixel: (so_far[0] + down, so_far[1] + right)})
        row, col = further.places(exploration)[pixel]
        moves = {**self.moves, pixel: (row - start.row, col - start.col)}
        return replace(self, moves={key: move for key, move in moves.items() if move != (0, 0)})

    def places(self, exploration: Exploration) -> list[tuple[int, int]]:
        """Row and column of every changed pixel after the moves; none leaves the picture."""
        height, width = exploration.image.shape[1:]
        found = []
        for index, pixel in enumerate(_pixels(exploration)):
            down, right = self.moves.get(index, (0, 0))
            found.append((min(max(pixel.row + down, 0), height - 1), min(max(pixel.col + right, 0), width - 1)))
        return found

    def picture(self, exploration: Exploration) -> Image:
        """The picture that is meant, (3, h, w) on the 8-bit grid."""
        image, adversarial = to_grid(exploration.image), to_grid(exploration.adversarial)
        picture = image.clone()
        for index, (pixel, (row, col)) in enumerate(zip(_pixels(exploration), self.places(exploration), strict=True)):
            if index not in self.back:
                colour = adversarial[:, pixel.row, pixel.col]
                clean = image[:, row, col]
                picture[:, row, col] = clean + self.strength * (colour - clean)
        return to_grid(picture.clamp(0, 1))


@dataclass(frozen=True)
class Outcome:
    """What the network makes of a picture."""

    picture: Image
    label: int  # the class that it sees
    probabilities: torch.Tensor  # (k,)
    margin: float  # of the attacked class over all others (targeted: of all others over it), in logits: < 0 fools


def try_out(clf: Classifier, exploration: Exploration, what_if: WhatIf) -> Outcome:
    """One forward pass, which waits for nobody."""
    return look_at(clf, what_if.picture(exploration), exploration.label, exploration.target)


def look_at(clf: Classifier, picture: Image, label: int, target: int | None = None) -> Outcome:
    """What the network makes of any picture, `label` being the attacked class: one forward pass, without waiting."""
    with exact_arithmetic(clf.device), torch.no_grad():
        logits = read_only_twin(clf)(picture[None].to(clf.device)).cpu()
    aim = None if target is None else torch.tensor([target])
    margin = margins(logits, torch.tensor([label]), aim)
    return Outcome(picture, int(logits.argmax()), logits.softmax(1)[0], float(margin))


def at_the_end(exploration: Exploration) -> tuple[int, int]:
    """How many of the changed values are at 0 or 255, so that no more strength moves them, and how many there are."""
    changed = levels(exploration.adversarial)[changed_values(exploration.image, exploration.adversarial)]
    return int(((changed == 0) | (changed == 255)).sum()), len(changed)


def smallest(
    clf: Classifier, exploration: Exploration, repair: bool, on_pictures: Callable[[int], object] = lambda n: None
) -> SmallestSet | None:
    """The fewest pixels to put back that repair the prediction, or the fewest changes that still fool; None if the
    picture does not fool as it is.

    `on_pictures` hears of how many pictures the network has seen; what it raises ends the search.
    """
    with exact_arithmetic(clf.device), as_one_sentence():
        image, adversarial = (each.to(clf.device) for each in (exploration.image, exploration.adversarial))
        reversals = Reversals(Case.of(read_only_twin(clf), image, adversarial, exploration.label), on_pictures)
        return (smallest_repair if repair else smallest_still_fooling)(reversals, exploration.target)


def _pixels(exploration: Exploration) -> tuple:
    return exploration.evidence.pixels if exploration.evidence else ()
