"""The whole story: from a picture to labelled pixels, its failures, and the files that tell it elsewhere."""

import ast
import csv
import io
import json
import re
import runpy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.attacks import ATTACKS, Attack, Greedy, RandomSearch, SparseAttack
from explorer.classifiers import Classifier, load_classifier
from explorer.commands.tables import written_share
from explorer.figures import share_matrix
from explorer.figures import told as told_share
from explorer.images import to_png
from explorer.knobs import knobs
from explorer.numerics import Share
from explorer.pipeline import explore, percent, picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.exploration import most_labelled
from explorer.pipeline.findings import Cure, diagnose, remarks
from explorer.samples import find_sample
from explorer.types import STAGES, AttackResult, Trace

NAMES = ["red", "green", "blue"]
QUICK = SparseAttack(steps=10)


@pytest.fixture(scope="module")
def clf() -> Classifier:
    """Sees the colour that has most of the picture."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3, bias=False))
    weight = torch.zeros(3, 3, 64)
    for colour in range(3):
        weight[colour, colour] = torch.linspace(0.2, 1, 64)
    network[1].weight.data = weight.flatten(1)
    return Classifier(
        network, name="colours", class_names=NAMES, input_size=(8, 8), dataset="custom", mean=[0] * 3, std=[1] * 3
    )


@pytest.fixture(scope="module")
def reddish() -> torch.Tensor:
    image = torch.full((3, 8, 8), 100 / 255)
    image[0] = 120 / 255
    return image


@pytest.fixture(scope="module")
def exploration(clf, reddish):
    return explore(clf, reddish, QUICK, label=0)


def test_it_tells_the_whole_story(exploration, reddish):
    assert exploration.succeeded
    assert 0 < exploration.n_pixels <= exploration.n_entries < 64
    assert exploration.story.startswith("red, ")
    assert exploration.story.endswith(f"%, by {exploration.n_pixels} of 64 pixels")
    assert torch.equal(exploration.image, reddish)
    assert exploration.before.sum() == pytest.approx(1)
    assert exploration.evidence.label == exploration.label == 0
    assert len(exploration.evidence.pixels) == exploration.n_pixels
    assert not exploration.already_wrong


def test_the_likeliest_classes_come_in_order(exploration):
    top = exploration.top(2)
    assert top[0] == exploration.adversarial_label
    assert set(top) == {exploration.label, exploration.adversarial_label}
    assert len(exploration.top(99)) == len(NAMES)


def test_a_picture_that_is_already_mistaken_is_attacked_from_the_predicted_class(clf, reddish):
    mistaken = explore(clf, reddish, QUICK, label=2)
    assert mistaken.already_wrong
    assert (mistaken.true_label, mistaken.label) == (2, 0)
    assert mistaken.succeeded


def test_a_target_is_reached_or_said_to_be_missed(clf, reddish):
    assert explore(clf, reddish, QUICK, target=2).adversarial_label == 2
    missed = explore(clf, reddish, SparseAttack(steps=10, max_pixels=1), target=2)
    assert not missed.succeeded
    assert "blue not reached" in missed.story
    assert missed.findings[0].seen == "The target was not reached."


def test_the_target_must_be_another_class(clf, reddish):
    with pytest.raises(ValueError, match="already sees red"):
        explore(clf, reddish, QUICK, target=0)


def test_a_picture_of_another_size_is_refused(clf):
    with pytest.raises(ValueError, match=r"expects a picture of shape \(3, 8, 8\); got \(3, 9, 8\)"):
        explore(clf, torch.zeros(3, 9, 8), QUICK)


def test_an_earlier_stage_is_explained_without_attacking_again(clf, reddish, exploration):
    def refuse(*_args, **_settings):
        pytest.fail("it attacked again")

    optimised = explore(clf, reddish, refuse, label=0, stage="optimised", earlier=exploration)
    assert optimised.result is exploration.result
    assert optimised.attack_seconds == exploration.attack_seconds
    assert optimised.n_pixels == int(exploration.result.stage_pixels()["optimised"]) >= exploration.n_pixels
    assert len(optimised.evidence.pixels) == optimised.n_pixels


def test_stopping_keeps_what_was_found(clf, reddish):
    stopped = explore(clf, reddish, QUICK, on_step=lambda step: step.done >= 2)
    assert stopped.result.stopped
    assert stopped.stage == list(stopped.result.stages)[-1]


def test_an_unchanged_picture_needs_no_evidence(clf, reddish):
    def idle(clf, images, labels, targets=None, on_step=None, region=None):
        return result(images, images.clone(), n_pixels=[0], loss=[1.0])

    unchanged = explore(clf, reddish, idle)
    assert unchanged.evidence is None
    assert unchanged.unlabelled == "No pixel changed, so there is nothing to label."
    assert pixels_csv(unchanged.evidence).count("\n") == 1
    assert "not fooled, with 0 of 64 pixels changed" in unchanged.story


def test_tables_and_figures_do_not_round_to_certainty():
    """9,996 of 10,000 are not all, and 4 of 10,000 are not none: as in a sentence, so in a table."""
    assert percent(0.9996, 1) == "> 99.9 %"
    assert percent(0.0004, 1) == "< 0.1 %"
    assert percent(float("nan")) == "–"
    assert written_share(Share(399, 400)).startswith("> 99 %")
    assert told_share(Share(1, 400)).startswith("< 1 %, 1 of 400")
    figure = share_matrix(["a", "b"], [[Share(399, 400)] * 2] * 2, "rows", "columns").to_json()
    assert "<b>&gt; 99 %" in figure.replace("\\u003c", "<").replace("\\u003e", ">")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.001, "< 1 %"), (0.5, "50 %"), (0.994, "> 99 %"), (0.99999, "> 99 %"), (1, "100 %")],
)
def test_percentages_never_claim_too_much(share, text):
    assert percent(share) == text


def result(images, adversarial, *, n_pixels, loss, stopped=False, targets=None) -> AttackResult:
    trace = Trace(*(torch.tensor(values)[:, None] for values in (loss, n_pixels, loss)))
    label = torch.zeros(len(images), dtype=torch.long)
    stages = {"optimised": adversarial}
    return AttackResult(images, label, targets, adversarial, label, label > 0, stages, trace, stopped)


def attempt(n_pixels: int, loss: list[float], **settings) -> AttackResult:
    """A result with so many changed pixels of 4,096."""
    images = torch.zeros(1, 3, 64, 64)
    adversarial = images.clone()
    adversarial.view(1, 3, -1)[..., :n_pixels] = 1
    return result(images, adversarial, n_pixels=[n_pixels] * len(loss), loss=loss, **settings)


CALM = [1 / (1 + step) for step in range(50)]
WILD = [1.0, 0.0] * 25

SIGNATURES = {
    "a good run": (attempt(10, CALM), True, []),
    "not fooled": (attempt(10, CALM), False, ["not fooled"]),
    "target missed": (attempt(10, CALM, targets=torch.tensor([1])), False, ["target was not reached"]),
    "stopped": (attempt(10, CALM, stopped=True), False, ["not fooled yet"]),
    "many pixels": (attempt(400, CALM), True, ["still changes 400 of"]),
    "dense start": (attempt(4000, CALM), True, ["stays at the dense start"]),
    "jumping loss": (attempt(10, WILD), True, ["never settles"]),
    "all at once": (attempt(4000, WILD), False, ["not fooled", "dense start", "never settles"]),
    "no step at all": (attempt(10, []), True, []),
}


@pytest.mark.parametrize(("result", "succeeded", "seen"), SIGNATURES.values(), ids=SIGNATURES)
def test_failures_are_recognised_each_with_something_to_do(result, succeeded, seen):
    findings = diagnose(result, QUICK, succeeded=succeeded)
    assert len(findings) == len(seen)
    for words, finding in zip(seen, findings, strict=True):
        assert words in finding.seen
        assert finding.cure or finding.cures


def test_a_run_that_has_left_the_dense_start_is_not_said_to_stay_there():
    left = replace(attempt(1371, CALM), trace=Trace(torch.ones(2, 1), torch.tensor([[4000], [1371]]), torch.ones(2, 1)))
    (finding,) = diagnose(left, QUICK, succeeded=True)
    assert "1,371 of 4,096" in finding.seen
    assert "dense" not in finding.seen


@given(
    a=st.floats(0.001, 10),
    lam=st.floats(0, 100),
    tau=st.floats(0, 0.99),
    box=st.sampled_from(["sign-aware", "paper"]),
    eps=st.floats(0.001, 0.5),
    max_pixels=st.sampled_from([None, 1, 50]),
    case=st.sampled_from(list(SIGNATURES)),
)
def test_no_cure_lies_at_the_end_of_a_slider_or_is_what_is_set_already(case, **settings):
    result, succeeded, _ = SIGNATURES[case]
    attack = SparseAttack(**settings)
    for finding in diagnose(result, attack, succeeded=succeeded):
        for cure in finding.cures:
            knob = knobs(attack)[cure.knob]
            knob.check(cure.value)
            assert cure.value != getattr(attack, cure.knob)
            if isinstance(knob.default, float):
                assert knob.slider[0] < cure.value < knob.slider[1]


@pytest.mark.parametrize("name", ATTACKS)
def test_no_advice_is_about_a_setting_that_the_attack_lacks(name):
    weighs = {"a", "lam", "tau"} <= {*knobs(ATTACKS[name])}
    for found, succeeded, _ in SIGNATURES.values():
        findings = diagnose(found, ATTACKS[name](), succeeded=succeeded)
        told = " ".join(f"{each.cause} {each.cure}" for each in findings)
        assert weighs or not re.search(r"[λτ]|weights", told)
        assert {cure.knob for each in findings for cure in each.cures} <= {*knobs(ATTACKS[name])}
    (missed,) = diagnose(attempt(10, CALM), ATTACKS[name](max_pixels=3), succeeded=False)
    assert missed.cause.endswith("too few pixels are allowed")
    assert Cure("max_pixels", 6) in missed.cures


def test_a_flat_network_is_said_to_give_no_gradient_and_random_search_is_the_cure():
    flat = replace(attempt(4000, WILD), gradient="zero")
    (found,) = diagnose(flat, QUICK, succeeded=False)
    assert "no gradient" in found.seen
    assert RandomSearch.title in found.cure
    assert "τ" not in found.cause + found.cure
    assert diagnose(replace(attempt(10, CALM), gradient="zero"), QUICK, succeeded=True) == ()
    assert "gradient" not in diagnose(flat, RandomSearch(), succeeded=False)[0].seen


class Rounding(nn.Module):
    """Sees the brightest colour, in a hundred steps: its gradient is zero wherever there is one."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images.mean((2, 3)) * 100).round()


def test_a_flat_network_is_explored_by_random_search(reddish):
    clf = Classifier(
        Rounding(), name="flat", class_names=NAMES, input_size=(8, 8), dataset="custom", mean=[0] * 3, std=[1] * 3
    )
    told = explore(clf, reddish, QUICK)
    assert told.result.gradient == "zero"
    assert "no gradient" in told.findings[0].seen
    found = explore(clf, reddish, RandomSearch(queries=500, k=8))
    assert found.succeeded
    assert found.findings == ()
    assert report(found)["gradient"] == "unused"


def test_what_is_worth_knowing_of_a_run_is_one_sentence_each():
    plain = attempt(10, CALM)
    assert remarks(plain) == ()
    assert "evaluation mode" in remarks(replace(plain, was_training=True))[0]
    assert "left alone" in remarks(replace(plain, gradient="not finite"))[0]
    fewer = attempt(7, CALM).adversarial
    (told,) = remarks(replace(plain, stages={**plain.stages, "pruned": plain.adversarial, "random": fewer}))
    assert "7 pixels" in told
    assert "needed 10" in told
    assert remarks(replace(plain, stages={**plain.stages, "random": plain.adversarial})) == ()


def test_a_network_in_training_mode_is_said_to_be(clf, reddish):
    clf.train()
    try:
        told = explore(clf, reddish, QUICK)
    finally:
        clf.eval()
    assert told.remarks == ("The network was in training mode; it was attacked in evaluation mode.",)
    assert report(told)["remarks"] == list(told.remarks)


def test_the_report_is_complete_and_plain_json(exploration):
    told = json.loads(json.dumps(report(exploration), allow_nan=False))
    assert told["settings"]["seed"] == 0
    assert told["labels"]["attacked"] == {"index": 0, "name": "red"}
    assert told["labels"]["target"] is None
    assert told["n_pixels"] == exploration.n_pixels == len(told["evidence"]["pixels"])
    assert list(told["n_pixels_after_stage"]) == [stage for stage in STAGES if stage in exploration.result.stages]
    assert told["picture"]["sha256"] == picture_sha256(exploration.image)
    assert "torch" in told["versions"]
    assert sum(told["evidence"]["counts"].values()) == exploration.n_pixels
    assert told["evidence"]["trust"]["colour"] in ("green", "amber", "red")


def test_more_pixels_than_can_be_looked_at_one_by_one_are_not_labelled(clf, reddish, exploration, monkeypatch):
    assert not exploration.unlabelled
    assert most_labelled(torch.zeros(3, 224, 224)) == 445
    monkeypatch.setattr("explorer.pipeline.exploration.MOST_LABELLED", exploration.n_pixels - 1)
    many = explore(clf, reddish, QUICK)
    assert many.evidence is None
    assert many.n_pixels == exploration.n_pixels
    assert f"{many.n_pixels} pixels changed: too many" in many.unlabelled


def test_the_table_has_one_row_per_changed_pixel(exploration):
    rows = list(csv.DictReader(io.StringIO(pixels_csv(exploration.evidence))))
    assert [(int(row["row"]), int(row["col"]), row["kind"], row["unit"]) for row in rows] == [
        (pixel.row, pixel.col, pixel.kind, "logits") for pixel in exploration.evidence.pixels
    ]


def test_two_pictures_that_differ_in_one_value_have_other_fingerprints(reddish):
    other = reddish.clone()
    other[2, 7, 7] += 1 / 255
    assert picture_sha256(other) != picture_sha256(reddish)


HOSTILE = ("a\nimport os", '"""', "'''", "\\", "x\rprint(1)", "{clf}", "\x00", "\ud800", "\u2028y", "# ", "%s")


@pytest.fixture(scope="module")
def told():
    clf, sample = load_classifier("signs-cnn", device="cpu"), find_sample("stop-1")
    return explore(clf, sample.image, SparseAttack(steps=5, prune=False, polish=False), target=3, splits=0)


@given(names=st.lists(st.one_of(st.text(max_size=20), st.sampled_from(HOSTILE)), min_size=18, max_size=18))
@settings(max_examples=300, deadline=None)
def test_no_name_of_a_class_changes_the_program(told, names):
    program = snippet(replace(told, class_names=tuple(names)))
    assert ast.dump(ast.parse(program)) == ast.dump(ast.parse(snippet(told)))
    compile(program.encode(), "reproduce.py", "exec")


@given(st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE)), st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_names_of_networks_and_files_are_read_back_as_they_are(told, network, picture):
    tree = ast.parse(snippet(replace(told, network=network), picture))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    said = {call.func.id: call.args[0].value for call in calls if call.func.id.startswith("load_")}
    assert said == {"load_classifier": network, "load_image": picture}
    assert len(list(ast.walk(tree))) == len(list(ast.walk(ast.parse(snippet(told)))))


@pytest.mark.parametrize(
    ("attack", "stage"),
    [
        (SparseAttack(steps=40, polish=False), None),
        (SparseAttack(steps=40, polish=False), "optimised"),
        (Greedy(polish=False), None),
        (RandomSearch(queries=300, k=40, prune=False), None),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Attack) else str(each),
)
def test_the_snippet_repeats_the_run(tmp_path, monkeypatch, capsys, attack, stage):
    clf, sample = load_classifier("signs-resnet"), find_sample("stop-3")
    told = explore(clf, sample.image, attack, label=sample.label, stage=stage)
    (tmp_path / "picture.png").write_bytes(to_png(sample.image))
    (tmp_path / "reproduce.py").write_text(snippet(told))
    monkeypatch.chdir(tmp_path)
    runpy.run_path("reproduce.py")
    story, *rows = capsys.readouterr().out.splitlines()
    after = told.class_names[told.adversarial_label]
    assert story == f"{told.class_names[told.label]} -> {after}, by {told.n_pixels} pixels"
    assert len(rows) == told.n_pixels
    assert rows[0].startswith(f"row {told.evidence.pixels[0].row}, column {told.evidence.pixels[0].col}: ")
