"""What comes with the project is what the network does here, and belongs to this picture, network and setting alone."""

import dataclasses
import json

import pytest
import torch

from explorer import SparseAttack, load_classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.images import from_uint8
from explorer.pipeline import answering, explore, respond, shipped
from explorer.pipeline.response import stops
from explorer.samples import find_sample, gallery
from explorer.studies import Study, Subject
from explorer.studies import shipped as grids
from explorer.studies.trials import Signs, try_signs
from explorer.ui import known_signs
from explorer.ui.known import _thinned
from explorer.ui.known_signs import FIRST_SEED, SIGNS, find_signs
from tests.ship_results import NETWORKS, grid_of

LARGEST = 3 * 2**19  # bytes of all of it


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-resnet")


def test_it_is_small_and_nothing_is_missing():
    files = [*shipped.FOLDER.glob("*.jsonl")]
    assert {file.stem for file in files} == {*NETWORKS}
    assert sum(file.stat().st_size for file in shipped.FOLDER.rglob("*.*")) < LARGEST
    attack = SparseAttack()
    for name in NETWORKS:
        network = load_classifier(name)
        for sample in gallery():
            assert shipped.find_run(network, sample.image, attack) is not None, (name, sample.name)
            for knob in answering(attack):
                assert shipped.find_response(network, sample.image, attack, knob), (name, sample.name, knob)


@pytest.mark.parametrize(("name", "picture"), [("signs-resnet", "stop-2"), ("signs-cnn", "yield-1")])
def test_the_run_is_the_one_that_is_done_here(name, picture):
    network, sample, attack = load_classifier(name), find_sample(picture), SparseAttack()
    known = shipped.find_run(network, sample.image, attack)
    here = explore(network, sample.image, attack, splits=0)
    pairs = zip(known.result.stage_pixels().values(), here.result.stage_pixels().values(), strict=True)
    assert all(abs(int(one) - int(other)) <= 1 for one, other in pairs), "last bits differ between machines"
    assert known.succeeded == here.succeeded
    assert known.label == here.label
    assert known.before == pytest.approx(here.before, abs=1e-3)
    if torch.equal(known.adversarial, here.adversarial):
        assert known.story == here.story
        for one, other in zip(known.evidence.pixels, here.evidence.pixels, strict=True):
            assert dataclasses.replace(one, **_numbers(other)) == other
            assert one.obscuring == pytest.approx(other.obscuring, abs=1e-3)


def _numbers(pixel) -> dict[str, float]:
    names = ("obscuring", "leading", "reversal_obscuring", "reversal_leading")
    return {name: getattr(pixel, name) for name in names}


def test_the_curves_are_those_that_are_measured_here(clf):
    image, attack = find_sample("stop-2").image, SparseAttack()
    here = respond(clf, image, attack, ("lam",))["lam"]
    known = shipped.find_response(clf, image, attack, "lam")
    assert [point.value for point in known] == list(stops(attack, "lam"))
    apart = [abs(one.n_pixels - other.n_pixels) for one, other in zip(known, here, strict=True)]
    assert max(apart) <= 1
    assert [point.fooled for point in known] == [point.fooled for point in here]


def test_a_curve_belongs_to_every_setting_along_it_and_to_no_other(clf):
    image, attack = find_sample("stop-1").image, SparseAttack()
    known = shipped.find_response(clf, image, attack, "lam")
    for same in ({"lam": 0.7}, {"polish": False}):
        assert shipped.find_response(clf, image, dataclasses.replace(attack, **same), "lam") == known
    for other in ({"a": 0.2}, {"tau": 0.06}, {"steps": 99}):
        assert shipped.find_response(clf, image, dataclasses.replace(attack, **other), "lam") is None


def test_what_belongs_to_another_picture_network_or_setting_is_not_used(clf):
    image, attack = find_sample("stop-1").image, SparseAttack()
    assert shipped.find_run(clf, image, attack) is not None
    other = image.clone()
    other[0, 0, 0] = 1 - other[0, 0, 0].round()
    assert shipped.find_run(clf, other, attack) is None
    assert shipped.find_run(clf, image, SparseAttack(steps=99)) is None
    trained_on = load_classifier("signs-resnet")
    with torch.no_grad():
        next(trained_on.parameters()).add_(1e-6)
    assert shipped.find_run(trained_on, image, attack) is None
    assert shipped.find_run(load_classifier("cifar-resnet20"), torch.zeros(3, 32, 32), attack) is None


def test_the_film_ends_with_the_picture_of_the_run(clf):
    image, attack = find_sample("stop-1").image, SparseAttack()
    film, run = shipped.find_film(clf, image, attack), shipped.find_run(clf, image, attack)
    assert torch.equal(from_uint8(film.picture(len(film.frames) - 1)), run.adversarial)
    assert film.frames[0].n_pixels == 0 < film.frames[1].n_pixels
    assert film.margins[0] > 0 > film.margins[-1]
    assert shipped.find_film(clf, find_sample("stop-2").image, attack) is None
    short = _thinned(film)
    assert len(short.frames) == len(short.margins) < len(film.frames)
    assert short.frames[-1].n_pixels == run.n_pixels


def test_entries_are_written_and_read_as_they_are(clf, tmp_path):
    image, attack = find_sample("stop-1").image, SparseAttack(steps=20, polish=False)
    run = explore(clf, image, attack, splits=0)
    record = shipped.run_record(run, clf)
    shipped.write("some", [record], tmp_path)
    assert shipped.read("some", tmp_path) == {record["key"]: json.loads(json.dumps(record))}
    assert shipped.read("other", tmp_path) == {}
    again = shipped._exploration(record, clf, image, attack)
    assert again.story == run.story
    assert all(torch.equal(again.result.stages[name], images) for name, images in run.result.stages.items())
    assert again.result.trace.n_pixels.tolist() == run.result.trace.n_pixels.tolist()
    assert torch.allclose(again.result.weights, run.result.weights, atol=1e-3)


AGAIN = "what came with the app is of other code: python -m tests.ship_results --only grid,signs"


def test_the_grid_that_tune_opens_with_is_whole_and_what_is_done_here(clf):
    subject, settings = grid_of(clf)
    known = Study([subject], settings, shipped=True)
    assert (known.left, known.brought) == (0, known.total), AGAIN
    picture, some = 1, settings[3::11]
    few = Subject(clf.name, clf, subject.images[[picture]], subject.labels[[picture]], [subject.pictures[picture]])
    live = Study([few], some)
    assert live.left == len(some) >= 3, "nothing but the page asks for what came with the app"
    while live.advance():
        pass
    told = {(row["a"], row["lam"]): row for row in known.rows() if row["picture"] == subject.pictures[picture]}
    for row in live.rows():
        same = told[row["a"], row["lam"]]
        assert abs(row["n_pixels"] - same["n_pixels"]) <= max(1, 0.01 * row["n_pixels"]), "last bits differ"
        assert row["succeeded"] == same["succeeded"]
        assert same["seconds"] is None, "another computer's time says nothing"


def test_a_run_of_the_grid_belongs_to_its_network_picture_setting_and_code_alone(clf, monkeypatch):
    subject, settings = grid_of(clf)
    setting, *rest = Study([subject], settings).runs[0].identity
    assert grids.find_shipped(setting, *rest) is not None
    assert grids.find_shipped(dataclasses.replace(setting, steps=99), *rest) is None
    picture, label, network = rest
    assert grids.find_shipped(setting, picture[::-1], label, network) is None
    assert grids.find_shipped(setting, picture, label + 1, network) is None
    assert grids.find_shipped(setting, picture, label, network[::-1]) is None
    monkeypatch.setattr("explorer.studies.plan.code_sha256", lambda: "other")
    assert grids.find_shipped(setting, *rest) is None


def test_rows_of_a_grid_are_written_and_read_as_they_are(tmp_path):
    rows = [{"key": f"{i}", "a": 0.1 * (i % 2), "seconds": 3.0, "n_pixels": i, "settled": None} for i in range(4)]
    grids.write(tmp_path / "some.jsonl", rows)
    assert grids.read(tmp_path / "some.jsonl") == [{**row, "seconds": None} for row in rows]
    assert grids.read(tmp_path / "other.jsonl") == []


@pytest.mark.parametrize("name", NETWORKS)
def test_the_signs_that_ground_truth_opens_with_are_there(name):
    trials = find_signs(load_classifier(name), SparseAttack(), DEFAULT_METHOD, SIGNS, FIRST_SEED)
    assert trials, AGAIN
    assert all(trial.evidence.pixels for trial in trials)


def test_they_are_what_is_done_here(clf):
    attack, n = SparseAttack(), 2
    known = find_signs(clf, attack, DEFAULT_METHOD, SIGNS, FIRST_SEED)
    here = try_signs(clf, attack, Signs.draw(clf, n, FIRST_SEED), DEFAULT_METHOD)
    assert here
    for one, other in zip(known, here, strict=False):
        assert one.scene == other.scene
        assert torch.equal(one.image, other.image)
        assert abs(len(one.evidence.pixels) - len(other.evidence.pixels)) <= 1, "last bits differ between machines"
        assert torch.equal(one.other, other.other) == (
            one.evidence.adversarial_label == other.evidence.adversarial_label
        )
        if torch.equal(one.adversarial, other.adversarial):
            assert [pixel.kind for pixel in one.evidence.pixels] == [pixel.kind for pixel in other.evidence.pixels]
            assert one.evidence.checks.agreement == pytest.approx(other.evidence.checks.agreement, rel=1e-4)


def test_signs_belong_to_their_question_and_code_alone(clf, monkeypatch):
    asked = SparseAttack(), DEFAULT_METHOD, SIGNS, FIRST_SEED
    assert find_signs(clf, *asked)
    for other in (
        (SparseAttack(steps=99), *asked[1:]),
        (asked[0], "gradient_x_change", *asked[2:]),
        (*asked[:2], SIGNS + 1, FIRST_SEED),
        (*asked[:3], FIRST_SEED + 1),
    ):
        assert find_signs(clf, *other) is None
    monkeypatch.setattr(known_signs, "_code", lambda: "other")
    find_signs.cache_clear()
    assert find_signs(clf, *asked) is None
    find_signs.cache_clear()
