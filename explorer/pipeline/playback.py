"""Playback: the attack step by step, kept as the changed pixels of each step, never as whole pictures."""

import io
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image as Pillow

from explorer.classifiers import Classifier
from explorer.exact import exact_arithmetic
from explorer.images import from_uint8, to_uint8
from explorer.locks import exclusive
from explorer.numerics import margins
from explorer.pipeline.exploration import Exploration
from explorer.types import Image, OnStep, Step

MAX_BYTES = 2**24  # of all frames together; beyond that every second one is let go
GIF_SIDE = 384  # pixels of the film's shorter side, at least
GIF_FRAMES = 120
KEPT_COLOURS = 128  # of the changed pixels of the last frame, which a film shows exactly
CHUNK = 32  # frames judged at a time


@dataclass(frozen=True)
class Frame:
    """One step of the attack on one image."""

    stage: str
    step: int
    where: np.ndarray  # (n,) int32: changed pixels, row * width + col, in rising order
    colours: np.ndarray  # (n, 3) uint8: their RGB

    @property
    def n_pixels(self) -> int:
        return len(self.where)


class Recorder:
    """Keeps the frames of one image of a batch. Give it to an attack as `on_step`."""

    def __init__(self, image: Image, then: OnStep | None = None, index: int = 0) -> None:
        """`image` (3, h, w) is the clean one; `then` hears of every step afterwards."""
        self._clean = torch.from_numpy(to_uint8(image)).flatten(0, 1)
        self._then, self._index, self._every, self._heard = then, index, 1, 0
        self.frames: list[Frame] = []

    def __call__(self, step: Step) -> bool | None:
        """Keep the step, if it is its turn."""
        if self._heard % self._every == 0 and step.current is not None:
            self.add(step.stage, step.done, step.current[self._index])
            if sum(frame.where.nbytes + frame.colours.nbytes for frame in self.frames) > MAX_BYTES:
                self.frames, self._every = self.frames[::2], 2 * self._every
        self._heard += 1
        return self._then(step) if self._then else None

    def add(self, stage: str, number: int, picture: Image) -> None:
        """Keep a picture (3, h, w)."""
        pixels = torch.from_numpy(to_uint8(picture)).flatten(0, 1)
        where = (pixels != self._clean).any(1).nonzero()[:, 0]
        self.frames.append(Frame(stage, number, where.to(torch.int32).numpy(), pixels[where].numpy()))


@dataclass(frozen=True)
class Film:
    """An attack from its first to its last step."""

    clean: np.ndarray  # (h, w, 3) uint8
    frames: tuple[Frame, ...]  # the first is the clean picture
    margins: tuple[float, ...]  # of the attacked class (targeted: of all others over the target), in logits: < 0 fools

    def picture(self, number: int) -> np.ndarray:
        """The picture of one frame, (h, w, 3) uint8."""
        picture = self.clean.copy()
        picture.reshape(-1, 3)[self.frames[number].where] = self.frames[number].colours
        return picture

    def lives(self, most: int = 40) -> dict[int, list[tuple[int, int]]]:
        """When pixels came and went: for each, the stretches of frames (first, last) in which it was changed. Those of
        the last frame first, then those that stayed longest, `most` in all.
        """
        present = np.zeros((len(self.frames), self.clean.shape[0] * self.clean.shape[1]), bool)
        for number, frame in enumerate(self.frames):
            present[number, frame.where] = True
        rank = present[-1] * len(self.frames) + present.sum(0)
        chosen = [pixel for pixel in np.argsort(-rank, kind="stable")[:most].tolist() if rank[pixel]]
        return {pixel: _stretches(present[:, pixel]) for pixel in chosen}

    def gif(self, milliseconds: int = 80) -> bytes:
        """The film as an animated GIF, enlarged without smoothing; the last frame stays for two seconds."""
        stride = -(-len(self.frames) // GIF_FRAMES)
        numbers = [*range(0, len(self.frames) - 1, stride), len(self.frames) - 1]
        pictures = [self.picture(number) for number in numbers]
        palette = _palette(np.concatenate(pictures[::-8]), self.frames[-1].colours)
        height, width = self.clean.shape[:2]
        factor = max(1, -(-GIF_SIDE // min(height, width)))
        first, *others = (
            Pillow.fromarray(picture)
            .quantize(palette=palette, dither=Pillow.Dither.NONE)
            .resize((width * factor, height * factor), Pillow.Resampling.NEAREST)
            for picture in pictures
        )
        durations = [milliseconds] * len(others) + [2000]
        file = io.BytesIO()
        first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
        return file.getvalue()


def record(clf: Classifier, exploration: Exploration, on_step: OnStep | None = None) -> Film:
    """Run the exploration's attack again and keep its steps, up to the stage that is shown.

    The attack is deterministic, so it goes the same way; one that was stopped is run to its end.
    """
    with exact_arithmetic(clf.device):
        image = exploration.result.images.to(clf.device)
        recorder = Recorder(image[0], on_step)
        recorder.add("clean", 0, image[0])
        labels, targets = (
            None if given is None else given.to(clf.device)
            for given in (exploration.result.labels, exploration.result.targets)
        )
        mask = None if exploration.region is None else exploration.region.mask
        result = exploration.attack(clf, image, labels, targets, on_step=recorder, region=mask)
        stages = list(result.stages)
        last = exploration.stage if exploration.stage in stages else stages[-1]  # `on_step` may end it before
        later = stages[stages.index(last) + 1 :]
        recorder.frames = [frame for frame in recorder.frames if frame.stage not in later]
        recorder.add(last, recorder.frames[-1].step, result.stages[last][0])
        film = Film(to_uint8(image[0]), tuple(recorder.frames), ())
        with exclusive(clf), torch.no_grad():
            found = []
            for first in range(0, len(film.frames), CHUNK):
                numbers = range(first, min(first + CHUNK, len(film.frames)))
                pictures = torch.stack([from_uint8(film.picture(number)) for number in numbers]).to(image)
                same = labels.expand(len(pictures)), None if targets is None else targets.expand(len(pictures))
                found += margins(clf(pictures), *same).tolist()
        return replace(film, margins=tuple(found))


def _palette(pictures: np.ndarray, kept: np.ndarray) -> Pillow.Image:
    """One palette for all frames: the colours `kept` (n, 3) as they are, and the others by greatest coverage. By
    frequency, the few changed pixels would get their neighbours' colours.
    """
    kept = np.unique(kept, axis=0)[:KEPT_COLOURS]
    others = Pillow.fromarray(pictures).quantize(256 - len(kept), Pillow.Quantize.MAXCOVERAGE).getpalette()
    palette = Pillow.new("P", (1, 1))
    palette.putpalette([*kept.ravel().tolist(), *others[: 3 * (256 - len(kept))]])
    return palette


def _stretches(present: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
