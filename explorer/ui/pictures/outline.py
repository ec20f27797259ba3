"""The outline of a region, as the canvas draws it."""

from collections import defaultdict
from functools import lru_cache

import numpy as np

from explorer.regions import Region

Crossing = tuple[int, int]  # of the grid between the pixels: column, row


@lru_cache(maxsize=32)
def outline(region: Region) -> str:
    """An SVG path around the region's pixels, in pixels of the picture: closed loops, holes as well, for even-odd."""
    ways = _edges(region)
    path = []
    while ways:
        start = at = next(iter(ways))
        heading = None
        while True:
            onward = ways[at].pop()
            if not ways[at]:
                del ways[at]
            turned = onward[0] == at[0]  # up or down
            if turned != heading:  # straight on, the crossing between is left out
                path.append(f"L{at[0]} {at[1]}" if heading is not None else f"M{at[0]} {at[1]}")
            heading, at = turned, onward
            if at == start:
                break
        path.append("Z")
    return "".join(path)


def _edges(region: Region) -> dict[Crossing, list[Crossing]]:
    """From each crossing on the outline, where it goes on; the region lies to the right."""
    inside = np.pad(region.mask.numpy(), 1)
    ways = defaultdict(list)
    for (down, right), (first, then) in {
        (-1, 0): ((0, 0), (1, 0)),
        (0, 1): ((1, 0), (1, 1)),
        (1, 0): ((1, 1), (0, 1)),
        (0, -1): ((0, 1), (0, 0)),
    }.items():
        beside = np.roll(inside, (-down, -right), (0, 1))
        for row, col in zip(*(each.tolist() for each in np.nonzero(inside & ~beside)), strict=True):
            row, col = row - 1, col - 1  # the border that was put around
            ways[col + first[0], row + first[1]].append((col + then[0], row + then[1]))
    return dict(ways)
