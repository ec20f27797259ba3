"""What stands behind a sign: sky, foliage, a wall, a street. Made from smooth noise, no pictures needed."""

from collections.abc import Callable

import cv2
import numpy as np

Field = np.ndarray  # (size, size) float32, about 0..1
Picture = np.ndarray  # (size, size, 3) float32, RGB, 0..1


def smooth_noise(random: np.random.Generator, size: int, cells: int) -> Field:
    """Noise whose blobs are about 1/cells of the side wide."""
    grid = random.random((cells + 1, cells + 1), np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def clouds(random: np.random.Generator, size: int, cells: int, octaves: int) -> Field:
    """Smooth noise with finer and weaker noise on top of it."""
    weights = [0.55**octave for octave in range(octaves)]
    layers = (weight * smooth_noise(random, size, cells * 2**o) for o, weight in enumerate(weights))
    return sum(layers) / sum(weights)


def in_rgb(field: Field) -> Picture:
    """The same values in each channel. Arithmetic on this is several times faster than broadcasting."""
    return cv2.merge([field, field, field])


def tinted(field: Field, colour: np.ndarray | tuple) -> Picture:
    """A colour, as bright as `field` says."""
    return cv2.merge([field * float(value) for value in colour])


def mix(first: np.ndarray | tuple, second: np.ndarray | tuple, share: Field) -> Picture:
    """`first` where `share` is 0, `second` where it is 1; each a picture or one colour."""
    share = np.clip(share, 0, 1).astype(np.float32)
    parts = ((first, 1 - share), (second, share))
    one, other = (part * in_rgb(s) if np.ndim(part) == 3 else tinted(s, part) for part, s in parts)
    return one + other


def _down(size: int) -> Field:
    """0 at the top, 1 at the bottom."""
    return np.repeat(np.linspace(0, 1, size, dtype=np.float32)[:, None], size, axis=1)


def _sky(random: np.random.Generator, size: int) -> Picture:
    zenith = np.array([0.3, 0.5, 0.8]) + random.uniform(-0.1, 0.1)
    picture = mix(zenith, (0.75, 0.83, 0.9), _down(size) * random.uniform(0.5, 1.2))
    cover = (clouds(random, size, 3, 3) - random.uniform(0.4, 0.65)) * 4
    return mix(picture, np.array([0.93, 0.94, 0.95]) - random.uniform(0, 0.2), cover)


def _foliage(random: np.random.Generator, size: int) -> Picture:
    leaf = np.array([0.32, 0.43, 0.18]) + random.uniform(-0.06, 0.06, 3)
    leaves = clouds(random, size, 6, 3)
    picture = mix(leaf * 0.25, leaf * 1.25, (leaves - 0.3) * 2.4)
    gaps = (clouds(random, size, 5, 2) - random.uniform(0.68, 0.85)) * 9  # where the sky shines through
    return mix(picture, (0.8, 0.88, 0.95), gaps)


def _wall(random: np.random.Generator, size: int) -> Picture:
    stone = np.array([0.62, 0.5, 0.42]) + random.uniform(-0.18, 0.15) + random.uniform(-0.06, 0.06, 3)
    picture = tinted(0.8 + 0.4 * clouds(random, size, 4, 4), stone)
    if random.random() < 0.6:  # bricks, else render
        rows = int(random.integers(7, 14))
        y, x = np.mgrid[:size, :size].astype(np.float32) * rows / size
        bond = x / 2 + 0.5 * (np.floor(y) % 2) + random.random()
        tone = random.random((rows + 1, rows + 3), np.float32)[np.floor(y).astype(int), np.floor(bond).astype(int)]
        mortar = np.maximum(_ridge(y), _ridge(bond * 2) * (np.floor(bond * 2) % 2))
        picture = mix(picture * in_rgb(0.8 + 0.4 * tone), (0.7, 0.68, 0.64), mortar)
    return picture


def _ridge(position: Field) -> Field:
    """1 on whole numbers, 0 farther than about an eighth from them."""
    return np.clip(1.3 - 8 * np.abs(position - np.rint(position)), 0, 1)


def _street(random: np.random.Generator, size: int) -> Picture:
    horizon = random.uniform(0.5, 0.75)
    down = _down(size)
    picture = mix((0.55, 0.68, 0.86), (0.86, 0.88, 0.9), down / horizon)
    for _ in range(int(random.integers(2, 6))):  # houses
        left, width = random.uniform(-0.2, 0.9), random.uniform(0.15, 0.45)
        roof = horizon - random.uniform(0.1, 0.45)
        front = np.array([0.6, 0.55, 0.5]) + random.uniform(-0.25, 0.2) + random.uniform(-0.08, 0.08, 3)
        top, bottom = int(roof * size), int(horizon * size)
        first, last = max(0, int(left * size)), max(0, int((left + width) * size))
        picture[top:bottom, first:last] = front
        pitch, gap = max(3, size // 10), max(1, size // 24)
        for y in range(top + gap, bottom - gap, pitch):  # windows
            for x in range(first + gap, last - gap, pitch):
                picture[y : y + pitch - 2 * gap, x : x + pitch - 2 * gap] = front * random.uniform(0.3, 0.6)
    trees = (clouds(random, size, 6, 2) * 0.35 + down - horizon + random.uniform(-0.12, 0.05)) * 14
    picture = mix(picture, np.array([0.2, 0.3, 0.14]) * random.uniform(0.7, 1.4), trees)
    asphalt = np.float32(random.uniform(0.3, 0.5)) * (0.85 + 0.3 * smooth_noise(random, size, 20))
    return mix(picture, in_rgb(asphalt), (down - horizon) * size / 2)


BACKGROUNDS: dict[str, Callable[[np.random.Generator, int], Picture]] = {
    "sky": _sky,
    "foliage": _foliage,
    "wall": _wall,
    "street": _street,
}


def background(kind: str, seed: int, size: int) -> Picture:
    """The background of this kind and seed, a little out of focus."""
    picture = BACKGROUNDS[kind](np.random.Generator(np.random.PCG64(seed)), size)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), size / 90), 0, 1)
