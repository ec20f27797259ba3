"""The response of the count to each knob, the ghost of the run before, and how both are drawn."""

from dataclasses import replace

import pytest

from explorer import Greedy, SparseAttack, load_classifier
from explorer.figures import answer
from explorer.pipeline import Ghost, Point, answering, explore, respond
from explorer.pipeline.ghost import same_settings, same_subject
from explorer.samples import find_sample

QUICK = SparseAttack(steps=25, polish=False)


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-cnn")


@pytest.fixture(scope="module")
def image():
    return find_sample("stop-1").image


def test_a_batch_of_settings_is_what_each_is_alone(clf, image):
    response = respond(clf, image, replace(QUICK, lam=0.7), ("lam",))
    alone = [explore(clf, image, replace(QUICK, lam=point.value, prune=False), splits=0) for point in response["lam"]]
    assert 0.7 in [point.value for point in response["lam"]]
    for point, run in zip(response["lam"], alone, strict=True):
        assert (point.n_pixels, point.fooled) == (run.n_pixels, run.succeeded)
        assert point.confidence == pytest.approx(float(run.after.max()), abs=1e-4)


def test_only_knobs_that_may_differ_per_image_answer(clf, image):
    assert answering(QUICK) == ("a", "lam", "tau")
    assert answering(Greedy()) == ()
    assert respond(clf, image, QUICK, ("tau",), on_step=lambda _step: True) is None, "it was asked to stop"


def test_the_ghost_counts_what_came_stayed_and_went(clf, image):
    before, now = (explore(clf, image, replace(QUICK, lam=lam), splits=0) for lam in (0.1, 1.0))
    ghost = Ghost.of(before, now)
    assert len(ghost.came) + len(ghost.stayed) == now.n_pixels
    assert len(ghost.went) + len(ghost.stayed) == before.n_pixels
    assert f"{len(ghost.went)} gone" in ghost.told
    assert Ghost.of(now, now).told == "The same pixels as in the run before."
    assert same_subject(before, now)
    assert not same_settings(before, now)


def test_the_ghost_compares_the_stage_that_is_shown(clf, image):
    before, now = (explore(clf, image, replace(QUICK, lam=lam), splits=0, stage="optimised") for lam in (0.1, 1.0))
    pruned = explore(clf, image, before.attack, splits=0, earlier=before)
    assert Ghost.of(pruned, now) == Ghost.of(before, now)
    assert len(Ghost.of(before, now).went) > len(Ghost.of(pruned, pruned).went) == 0


POINTS = (Point(0.1, 100, True, 0.9), Point(1.0, 10, True, 0.6), Point(10.0, 4096, False, 0.5))


def test_the_curve_tells_where_one_is_and_what_did_not_fool():
    figure = answer(POINTS, replace(POINTS[1], value=2.0, n_pixels=12), "λ")
    pixels, sure, at = figure.data
    assert list(pixels.y) == [100, 10, 4096]
    assert list(pixels.marker.symbol) == ["circle", "circle", "circle-open"]
    assert list(sure.y) == pytest.approx([90, 60, 50])
    assert (list(at.x), list(at.y)) == ([2.0], [12])
    assert [place for (place,) in pixels.customdata] == [0, 1, 2]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.annotations[0].text == "you are here: 12"


def test_a_picture_without_a_changed_pixel_still_has_its_curve():
    none = tuple(replace(point, n_pixels=0) for point in POINTS)
    assert list(answer(none, none[0], "a").data[0].y) == [1, 1, 1]
