"""A picture that a person paints on, pixel by pixel, within a budget of pixels; always on the 8-bit grid."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from explorer.grid import changed_pixels, from_levels, levels
from explorer.types import Image

Colour = tuple[int, int, int]  # RGB, 0..255
Place = tuple[int, int]  # row, column

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def hex_colour(text: str) -> Colour:
    """The colour that "#ff8800" names. Raises ValueError with one sentence."""
    if not _HEX.fullmatch(text):
        raise ValueError(f"A colour is written as # and six hexadecimal digits; got {text[:20]!r}.")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@dataclass(frozen=True)
class Painting:
    """Strokes on a picture, the newest last."""

    image: Image  # the clean picture, on the grid
    strokes: tuple[tuple[frozenset[Place], Colour], ...] = ()

    def painted(self, places: Iterable[Place], colour: Colour, at_most: int) -> "Painting":
        """One more stroke, as far as it goes with `at_most` changed pixels; places beside the picture are left out."""
        height, width = self.image.shape[1:]
        inside = [(row, col) for row, col in places if 0 <= row < height and 0 <= col < width]
        changed, allowed = self.changed, []
        for place in dict.fromkeys(inside):
            differs = self._differs(place, colour)
            if place in changed or not differs or len(changed) < at_most:
                allowed.append(place)
                changed = changed | {place} if differs else changed - {place}
        return replace(self, strokes=(*self.strokes, (frozenset(allowed), colour))) if allowed else self

    def undone(self) -> "Painting":
        """Without the newest stroke."""
        return replace(self, strokes=self.strokes[:-1])

    def cleared(self) -> "Painting":
        """The clean picture again."""
        return replace(self, strokes=())

    @property
    def picture(self) -> Image:
        """What one sees."""
        painted = levels(self.image)
        for places, colour in self.strokes:
            rows, cols = zip(*sorted(places), strict=True)
            painted[:, list(rows), list(cols)] = torch.tensor(colour, dtype=torch.uint8)[:, None]
        return from_levels(painted)

    @property
    def changed(self) -> frozenset[Place]:
        """Pixels that differ from the clean picture: one that was painted in its own colour is none."""
        return frozenset(map(tuple, changed_pixels(self.image, self.picture).nonzero().tolist()))

    def _differs(self, place: Place, colour: Colour) -> bool:
        return tuple(levels(self.image[:, place[0], place[1]]).tolist()) != colour
