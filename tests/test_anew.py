"""Once more from the clean image: the better of two polished starts counts, however its steps are run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from test_driver import pictures, problem_for, small
from torch import Tensor

from explorer import Greedy
from explorer.attacks import capture
from explorer.attacks.anew import Anew
from explorer.attacks.books import Books, Progress
from explorer.attacks.capture import Blindfold
from explorer.attacks.greedy import SecondStart
from explorer.attacks.loop import run_stage
from explorer.attacks.polishing import Polishing
from explorer.attacks.stage import Stage


class Known:
    """Knows pictures, and finds them in one step."""

    name, rounds, expected, capturable = "polished", 1, 1, False

    def __init__(self, found: Tensor) -> None:
        self.found = found

    def start(self, problem, images):
        return {"candidate": images, "margin": torch.zeros_like(images[:, 0, 0, 0])}

    def step(self, problem, state, t):
        return {"candidate": self.found, "margin": problem.margin(self.found)}


@dataclass(frozen=True)
class Told(Greedy):
    """Greedy, whose second start is another one."""

    found: tuple[Tensor, ...] = ()

    @property
    def second_starts(self) -> Sequence[Stage]:
        return [Known(each) for each in self.found]


def brightest(images: Tensor) -> Tensor:
    """Class 1 where one pixel of the lower half is bright, or five of the upper, which promise more at first."""
    pixels = images.mean(1).flatten(1)
    lead = pixels[:, :32].mean(1) * 20 + pixels[:, 32:].amax(1) * 4 - 3
    return torch.stack([torch.zeros_like(lead), lead], 1)


def test_the_better_of_two_starts_counts():
    images, labels = torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)
    one, many = images.clone(), images.clone()
    one[:, :, 5, 5] = 1
    many[:, :, :3] = 1
    for found, expected in (((one,), 1), ((many,), 5), ((), 5), ((many, one), 1)):
        told = Told(swaps=0, found=found)(brightest, images, labels)
        assert told.succeeded.all()
        assert told.n_pixels.tolist() == [expected, expected]
    alone = Told(prune=False, polish=False, found=(one,))(brightest, images, labels)
    assert alone.stages.keys() == {"optimised"}, "a second start is a part of polishing"


def test_whoever_stops_gets_what_was_found_before_the_second_start():
    network, images, heard = small(), pictures(1), []

    def stop(step):
        heard.append((step.stage, step.done, step.total))
        return step.stage == "polished"

    result = Greedy(anew=10)(network, images, network(images).argmax(1), on_step=stop)
    assert result.stopped
    assert [stage for stage, *_ in heard].count("polished") == 1
    assert all(done <= total for _, done, total in heard)


def test_a_second_start_is_the_same_however_it_runs(monkeypatch):
    monkeypatch.setattr(capture.Captured, "record", lambda self: None)
    network, images = small(), pictures(4)
    found = []
    for peeks in (True, False):
        problem = problem_for(network, images, peeks=peeks)
        books = Books(problem, 0)
        problem.labels[0] = (problem.labels[0] + 1) % 4  # seen wrongly
        books.best[0, 0, 3, 3] = 1 - books.best[0, 0, 3, 3].round()  # by one changed pixel: nothing to be won
        kept = books.best[0].clone()
        with torch.no_grad():
            stage, progress = SecondStart(steps=100, unit="pixel"), Progress(problem, books, 100, None)
            run_stage(stage, problem, books, progress, first=False)
        assert torch.equal(books.best[0], kept)
        assert books.fools[1:].all()
        found.append(books.best)
    assert torch.equal(*found)


def test_its_step_can_be_captured():
    problem = problem_for(small(), pictures(), peeks=False)
    stage = SecondStart(steps=20, unit="pixel")
    with torch.no_grad(), Blindfold():
        state = stage.start(problem, problem.images)
        again = stage.step(problem, state, torch.zeros((), dtype=torch.int64))
    assert {k: (v.shape, v.dtype) for k, v in state.items()} == {k: (v.shape, v.dtype) for k, v in again.items()}


def test_two_starts_are_seldom_worse_than_one():
    network, images = small(6), pictures(12)
    labels = network(images).argmax(1)
    one, two = (Greedy(anew=anew)(network, images, labels).n_pixels for anew in (0, 40))
    assert two.sum() <= one.sum()
    assert replace(Greedy(), anew=0).second_starts == []


def test_a_hopeless_start_is_not_polished(monkeypatch):
    """A bright pixel of the lower half is enough, or twelve of the upper: from those nobody goes on; or a grey one and
    one of the upper.
    """
    polished, start = [], Polishing.start

    def counted(self, problem, images):
        polished.append(problem.changed(images).sum(1).tolist())
        return start(self, problem, images)

    def twelve(images):
        pixels = images.mean(1).flatten(1)
        lead = pixels[:, :32].sum(1) / 12 + pixels[:, 32:].amax(1) * 2 - 0.95
        return torch.stack([torch.zeros_like(lead), lead], 1)

    monkeypatch.setattr(Polishing, "start", counted)
    images, many, some = (torch.zeros(1, 3, 8, 8) for _ in range(3))
    many[:, :, :3] = 1
    some[:, :, 5, 5] = 115 / 255
    some[:, :, 0, 0] = 1
    for found, tried in ((many, 0), (some, 2)):
        polished.clear()
        result = Told(swaps=0, found=(found,))(twelve, images, torch.tensor([0]))
        assert result.succeeded.all()
        assert result.n_pixels.tolist() == [1]
        assert polished == [[tried], [1]], "the new start, then the better of the two"


def test_which_starts_are_hopeless():
    units, fewest = torch.tensor([4, 5, 12, 13, 4000]), torch.tensor([2, 2, 10, 10, 10])
    assert Anew.hopeless(units, fewest).tolist() == [False, True, False, True, True]


def test_what_is_forgotten_counts_no_more():
    network, images = small(), pictures(3)
    problem = problem_for(network, images)
    books = Books(problem, 0)
    found = 1 - images.round()
    books.note(problem, {"candidate": found, "margin": torch.full((3,), -1.0)}, None, None)
    books.forget(torch.tensor([True, False, True]), images)
    assert books.fools.tolist() == [False, True, False]
    assert torch.equal(books.best, torch.stack([images[0], found[1], images[2]]))
    books.note(problem, {"candidate": images, "margin": torch.full((3,), 1.0)}, None, None)
    assert books.fools.tolist() == [False, True, False]
