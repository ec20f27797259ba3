"""Playback: the frames are the attack's own, few bytes hold them, and the film says when pixels came and went."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import SparseAttack, load_classifier
from explorer.images import from_uint8
from explorer.pipeline import Film, explore, playback, record
from explorer.pipeline.playback import Frame, Recorder
from explorer.samples import find_sample
from explorer.types import Step


@pytest.fixture(scope="module")
def filmed():
    clf = load_classifier("signs-cnn", device="cpu")
    exploration = explore(clf, find_sample("stop-1").image, SparseAttack(steps=25), splits=0)
    return exploration, record(clf, exploration)


def test_the_film_goes_from_the_clean_picture_to_the_result(filmed):
    exploration, film = filmed
    as_bytes = (exploration.adversarial * 255).round().byte().permute(1, 2, 0).numpy()
    assert (film.picture(0) == film.clean).all()
    assert (film.picture(len(film.frames) - 1) == as_bytes).all()
    assert film.margins[0] > 0 > film.margins[-1]
    assert len(film.margins) == len(film.frames)


def test_its_steps_are_those_of_the_trace(filmed):
    exploration, film = filmed
    optimised = [i for i, frame in enumerate(film.frames) if frame.stage == "optimised"]
    trace = exploration.result.trace
    assert [film.frames[i].n_pixels for i in optimised] == trace.n_pixels[:, 0].tolist()
    assert [film.margins[i] for i in optimised] == pytest.approx(trace.margin[:, 0].tolist(), abs=1e-3)
    assert {frame.stage for frame in film.frames} == {"clean", "optimised", "pruned", "polished"}


def test_the_film_ends_with_the_stage_that_is_shown():
    clf = load_classifier("signs-cnn", device="cpu")
    exploration = explore(
        clf, find_sample("stop-1").image, SparseAttack(steps=25, prune=True), splits=0, stage="optimised"
    )
    film = record(clf, exploration)
    assert {frame.stage for frame in film.frames} == {"clean", "optimised"}
    assert (from_uint8(film.picture(len(film.frames) - 1)) == exploration.adversarial).all()


def test_a_film_that_is_stopped_has_the_steps_until_then(filmed):
    exploration, whole = filmed
    film = record(load_classifier("signs-cnn", device="cpu"), exploration, lambda step: step.done >= 5)
    assert 5 <= len(film.frames) < len(whole.frames)
    assert film.frames[-1].stage == "optimised"


def test_the_gif_shows_every_frame_enlarged(filmed):
    _, film = filmed
    gif = Image.open(io.BytesIO(film.gif()))
    assert gif.size == (384, 384)
    assert 1 < gif.n_frames <= len(film.frames)  # equal frames are one


def test_the_gif_keeps_the_colours_of_the_changed_pixels(filmed):
    _, film = filmed
    gif = Image.open(io.BytesIO(film.gif()))
    gif.seek(gif.n_frames - 1)
    shown = np.array(gif.convert("RGB").resize((64, 64), Image.Resampling.NEAREST)).reshape(-1, 3)
    last = film.frames[-1]
    assert np.abs(shown[last.where].astype(int) - last.colours).max() <= 16


def test_lives_are_the_stretches_in_which_a_pixel_was_changed():
    def frame(*where: int) -> Frame:
        return Frame("optimised", 0, np.array(where, np.int32), np.zeros((len(where), 3), np.uint8))

    clean = np.ones((2, 3, 3), np.uint8)
    film = Film(clean, (frame(), frame(1, 2), frame(1), frame(2, 5), frame(2)), (0.0,) * 5)
    assert film.lives() == {2: [(1, 1), (3, 4)], 1: [(1, 2)], 5: [(3, 3)]}
    assert list(film.lives(most=1)) == [2]


def test_memory_is_bounded_by_letting_every_second_frame_go(monkeypatch):
    monkeypatch.setattr(playback, "MAX_BYTES", 10_000)
    image, heard = torch.zeros(3, 16, 16), []
    recorder = Recorder(image, heard.append)
    for number in range(200):
        current = torch.full((1, 3, 16, 16), (number + 1) / 255)
        recorder(Step("optimised", number, 200, torch.tensor([256]), torch.tensor([1.0]), current))
    assert sum(each.where.nbytes + each.colours.nbytes for each in recorder.frames) <= 10_000
    assert len(heard) == 200
    steps = [each.step for each in recorder.frames]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] > 150
