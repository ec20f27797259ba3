"""What is said of a picture does not hang on last bits, on what the caller allowed, or on double precision."""

import dataclasses
import json
import threading
from functools import partial

import pytest
import torch
from modes import NoDoublePrecision, moved
from torch import nn

from explorer import SparseAttack, explain_pixels, load_classifier
from explorer.__main__ import main
from explorer.classifiers import Classifier, list_classifiers
from explorer.commands.pictures import correctly_classified
from explorer.evidence import MAPS, METHODS, Case, Reversals, class_maps, examine, methods_for, trust
from explorer.hashes import image_sha256
from explorer.images import fit
from explorer.pipeline import (
    Exploration,
    WhatIf,
    at_the_end,
    explore,
    overlay,
    picture_sha256,
    pixels_csv,
    record,
    report,
    smallest,
    snippet,
    try_out,
)
from explorer.pipeline.exploration import probabilities
from explorer.samples import find_sample, gallery
from explorer.studies.measures import pack, unpack
from explorer.studies.trials import Signs, try_methods
from explorer.studies.tuning import Task

NETWORKS = [card.name for card in list_classifiers() if card.source == "bundled"]
QUICK = SparseAttack(steps=20, polish=False, max_pixels=6)
FOOLS = SparseAttack(steps=30)
OF_TRANSFORMERS = {"attention_rollout", "gradient_attention"}
NEED_A_LOOK = {"deep_lift", "grad_cam", "guided_grad_cam"} | OF_TRANSFORMERS


def attacked(clf: Classifier, picture: str) -> tuple:
    """The network, a sign, the sign attacked, and the class that the network sees in it."""
    image = fit(find_sample(picture).image, clf.input_size)
    label = clf(image[None]).argmax(1)
    return clf, image, QUICK(clf, image[None], label).adversarial[0], int(label)


@pytest.fixture(scope="module")
def case() -> tuple:
    return attacked(load_classifier("signs-resnet", device="cpu"), "stop-1")


@pytest.fixture(scope="module")
def transformer() -> tuple:
    return attacked(load_classifier("signs-vit", device="cpu"), "stop-1")


@pytest.fixture
def valid(method, case, transformer) -> tuple:
    """A case that the method is valid for."""
    return transformer if method in OF_TRANSFORMERS else case


@pytest.fixture(scope="module")
def clf(case) -> Classifier:
    return case[0]


@pytest.fixture(scope="module")
def told(clf) -> Exploration:
    return explore(clf, find_sample("stop-1").image, FOOLS)


@pytest.mark.parametrize("picture", ["stop-1", "yield-2"])
@pytest.mark.parametrize("name", NETWORKS)
def test_labels_do_not_hang_on_last_bits(name, picture):
    clf, image, adversarial, label = attacked(load_classifier(name, device="cpu"), picture)
    expected = explain_pixels(clf, image, adversarial, label, splits=0)
    assert expected.pixels
    for one, other in (
        (moved(image, 0), adversarial),
        (image, moved(adversarial, 1)),
        (moved(image, 2), moved(adversarial, 3)),
    ):
        assert (one != other).sum() > image.numel() // 4, "it would otherwise be no test"
        assert explain_pixels(clf, one, other, label, splits=0) == expected


def assert_same(clf: Classifier, task: Task, told: Exploration, other: Exploration) -> None:
    """All that is said, drawn and written of the two is the same."""
    assert other.story == told.story
    assert (other.n_pixels, other.n_entries) == (told.n_pixels, told.n_entries)
    assert other.evidence == told.evidence
    assert other.same_attack(told)
    assert {**report(other), "seconds": None} == {**report(told), "seconds": None}
    assert pixels_csv(other.evidence) == pixels_csv(told.evidence)
    assert snippet(other) == snippet(told)
    assert picture_sha256(other.image) == picture_sha256(told.image)
    assert image_sha256(other.image) == image_sha256(told.image)
    assert dataclasses.replace(task, images=other.image[None]).fingerprint == task.fingerprint
    assert at_the_end(other) == at_the_end(told)
    assert smallest(clf, other, repair=True) == smallest(clf, told, repair=True)
    for what_if in (WhatIf(), WhatIf(frozenset([0]), 0.5), WhatIf(strength=1.35, moves={0: (1, -2)})):
        one, two = try_out(clf, other, what_if), try_out(clf, told, what_if)
        assert torch.equal(one.picture, two.picture)
        assert one.margin == two.margin
    assert torch.equal(
        overlay(other.adversarial, other.evidence.pixels), overlay(told.adversarial, told.evidence.pixels)
    )
    changes = pack(told.image, told.adversarial)
    assert pack(other.image, other.adversarial) == changes
    assert torch.equal(unpack(other.image, changes), told.adversarial)


@pytest.mark.parametrize("name", ["signs-resnet", "signs-vit", "cifar-mobilenet"])
def test_the_story_and_its_files_do_not_hang_on_last_bits(name):
    clf = load_classifier(name, device="cpu")
    image = fit(find_sample("stop-1").image, clf.input_size)
    told = explore(clf, image, FOOLS)
    assert told.succeeded
    film = record(clf, told)
    task = Task(clf, image[None], torch.tensor([told.label]), FOOLS, ("a",))
    again = explore(clf, moved(image, 0), FOOLS)
    result = dataclasses.replace(told.result, images=moved(told.result.images, 1))
    shifted = dataclasses.replace(
        told, image=moved(told.image, 2), adversarial=moved(told.adversarial, 3), result=result
    )
    for other in (again, shifted):
        assert_same(clf, task, told, other)
    played = record(clf, shifted)
    assert played.margins == film.margins
    assert [played.picture(i).tobytes() for i in range(len(played.frames))] == [
        film.picture(i).tobytes() for i in range(len(film.frames))
    ]


def test_the_trust_card_sees_a_label_of_a_pixel_that_did_not_change(case):
    evidence = explain_pixels(*case)
    first, *others = evidence.pixels
    unchanged = dataclasses.replace(first, after=first.before)
    card = trust(dataclasses.replace(evidence, pixels=(unchanged, *others)))
    assert card.colour == "red"
    assert card.sentence.startswith("Don't trust these labels here: some labelled pixels have the same colour")
    assert "same colour" not in trust(evidence).sentence


def test_the_command_writes_the_same_files(tmp_path, monkeypatch, capsys):
    command = ["attack", "stop-1", "--model", "signs-resnet", "--steps", "20", "--no-polish", "--device", "cpu"]
    sample = find_sample("stop-1")
    shifted = dataclasses.replace(sample, image=moved(sample.image, 0))
    for folder, found in (("one", sample), ("two", shifted)):
        monkeypatch.setattr("explorer.commands.pictures.find_sample", lambda name, found=found: found)
        assert main([*command, "--out", str(tmp_path / folder)]) == 0
    one, two = (json.loads((tmp_path / folder / "result.json").read_text()) for folder in ("one", "two"))
    assert {**one, "seconds": None} == {**two, "seconds": None}
    for file in ("adversarial.png", "overlay.png", "pixels.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_picture_beyond_the_grid_is_refused_before_it_is_rounded(clf):
    image = find_sample("stop-1").image
    with pytest.raises(ValueError, match=r"The picture must lie in \[0, 1\]; got values from .* to 2"):
        explore(clf, image + 1, QUICK)
    with pytest.raises(ValueError, match="image must be floating point"):
        explain_pixels(clf, image.round().int(), image, 0)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_needs_double_precision(method, valid):
    with NoDoublePrecision():
        assert explain_pixels(*valid, method).pixels


def test_neither_proof_nor_maps_nor_repair_need_double_precision(case, transformer, told):
    with NoDoublePrecision():
        assert examine(*case).deletion.scored
        for name in MAPS:
            assert class_maps(*(transformer if name in OF_TRANSFORMERS else case), name).abs().max() > 0
        clf = case[0]
        assert smallest(clf, told, repair=True).pixels
        again = explore(clf, told.image, told.attack, earlier=told)
        assert report(again)["n_pixels"] == report(told)["n_pixels"]


def settings() -> tuple:
    """What a process may have allowed."""
    backends = torch.backends
    precisions = [of.fp32_precision for of in (backends.cudnn.conv, backends.mkldnn.conv, backends.mkldnn.matmul)]
    return torch.get_float32_matmul_precision(), *precisions, backends.cudnn.deterministic


@pytest.fixture
def sloppy():
    """A process that allows less than float32; afterwards it is as before."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.conv.fp32_precision
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.conv.fp32_precision = "tf32"
    yield settings()
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.conv.fp32_precision = before[1]


class Spy(Classifier):
    """Notes the settings under which it is asked; `when_asked` may do more."""

    def __init__(self, clf: Classifier, when_asked=lambda: None) -> None:
        nn.Module.__init__(self)
        self.clf, self.seen, self.when_asked = clf, set(), when_asked
        self.name, self.dataset, self.class_names, self.input_size = "spy", "signs", clf.class_names, clf.input_size

    @property
    def device(self) -> torch.device:
        return self.clf.device

    def forward(self, images):
        self.seen.add((settings(), torch.is_autocast_enabled("cpu")))
        self.when_asked()
        return self.clf(images)


EXACT = ("highest", "ieee", "ieee", "ieee", True)


EDGES = {
    "explain_pixels": lambda spy, told: explain_pixels(spy, told.image, told.adversarial, told.label),
    "examine": lambda spy, told: examine(spy, told.image, told.adversarial, told.label, others=()),
    "class_maps": lambda spy, told: class_maps(spy, told.image, told.adversarial, told.label, "occlusion"),
    "methods_for": lambda spy, told: methods_for(spy, told.image),
    "Reversals": lambda spy, told: Reversals(Case.of(spy, told.image, told.adversarial, told.label)).single(),
    "probabilities": lambda spy, told: probabilities(spy, told.image[None]),
    "record": lambda spy, told: record(spy, told),
    "smallest": lambda spy, told: smallest(spy, told, repair=False),
    "try_methods": lambda spy, told: try_methods(
        spy, told.image[None], told.adversarial[None], torch.tensor([told.label]), ["saliency"], controls=False
    ),
    "Signs.draw": lambda spy, told: Signs.draw(spy, 1, 10**9),
    "correctly_classified": lambda spy, told: correctly_classified(spy, "gallery", 1, 0),
}


@pytest.mark.parametrize("edge", EDGES)
def test_arithmetic_is_exact_and_the_settings_are_afterwards_what_they_were(edge, clf, told, sloppy, monkeypatch):
    monkeypatch.setattr("explorer.pipeline.what_if.read_only_twin", lambda network: network)  # a twin tells nobody
    spy = Spy(clf)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        EDGES[edge](spy, told)
        assert torch.is_autocast_enabled("cpu")
    assert settings() == sloppy
    if edge == "correctly_classified":
        spy.seen = {each for each in spy.seen if each[0] == EXACT}  # it also counts the classes, in no hurry
    assert spy.seen == {(EXACT, False)}


def test_what_if_is_exact(clf, told, sloppy):
    expected = try_out(clf, told, WhatIf(strength=0.8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert try_out(clf, told, WhatIf(strength=0.8)).margin == expected.margin
    assert settings() == sloppy


def test_the_settings_come_back_after_an_error(clf, told, sloppy):
    def fail() -> None:
        raise ArithmeticError("a bad moment")

    for edge in EDGES.values():
        with pytest.raises((ArithmeticError, ValueError), match="a bad moment"):  # an attack says it in a sentence
            edge(Spy(clf, fail), told)
        assert settings() == sloppy


def test_two_threads_are_exact_until_the_last_has_ended(clf, told, sloppy):
    early, late = Spy(clf), Spy(clf)
    first = threading.Thread(target=EDGES["explain_pixels"], args=(early, told))
    started = threading.Event()

    def wait() -> None:
        """The late one begins first and ends last."""
        if not started.is_set():
            started.set()
            first.start()
            first.join(60)

    late.when_asked = wait
    second = threading.Thread(target=EDGES["explain_pixels"], args=(late, told))
    second.start()
    second.join(60)
    assert early.seen == late.seen == {(EXACT, False)}
    assert settings() == sloppy


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("method", METHODS)
def test_gradients_are_there_whatever_the_caller_forbade(method, mode, valid):
    clf, image, adversarial, label = valid
    expected = explain_pixels(clf, image, adversarial, label, method, splits=0)
    with mode():
        assert explain_pixels(clf, image.clone(), adversarial.clone(), label, method, splits=0) == expected
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_proof_is_the_same_where_the_caller_forbade_gradients(mode, case, told):
    clf, image, adversarial, label = case
    plain = examine(clf, image, adversarial, label, others=["saliency"])
    maps = {name: class_maps(clf, image, adversarial, label, name) for name in MAPS.keys() - OF_TRANSFORMERS}
    repair = smallest(clf, told, repair=True)
    trial = partial(try_methods, clf, methods=["saliency"], controls=False)
    trials = trial(image[None], adversarial[None], torch.tensor([label]))
    with mode():
        image, adversarial = image.clone(), adversarial.clone()
        assert examine(clf, image, adversarial, label, others=["saliency"]) == plain
        for name, expected in maps.items():
            assert torch.equal(class_maps(clf, image, adversarial, label, name), expected)
        assert smallest(clf, told, repair=True) == repair
        found = trial(image[None], adversarial[None], torch.tensor([label]))
    assert repr(found) == repr(trials)


class InPlace(nn.Module):
    """Normalises the pictures where they lie."""

    def __init__(self, clf: Classifier) -> None:
        super().__init__()
        self.clf = clf

    def forward(self, images):
        return self.clf.network(images.sub_(self.clf.mean).div_(self.clf.std))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("method", sorted({*METHODS} - {"deep_lift"}))
def test_a_network_may_write_into_what_it_is_given(method, layout, valid):
    clf, *pictures, label = valid
    image, adversarial = (torch.stack([each, each]).contiguous(memory_format=layout)[0] for each in pictures)
    network = InPlace(clf)
    evidence = explain_pixels(network, image, adversarial, label, method, splits=0)
    assert torch.equal(image, pictures[0])
    assert torch.equal(adversarial, pictures[1])
    assert evidence == explain_pixels(clf, *pictures, label, method, splits=0)


def test_nothing_else_of_the_caller_is_written_into(case):
    clf, image, adversarial, label = case
    network, kept = InPlace(clf), (image.clone(), adversarial.clone())
    examine(network, image, adversarial, label)
    methods_for(network, image)
    for name in MAPS.keys() - OF_TRANSFORMERS:
        class_maps(network, image, adversarial, label, name)
    assert torch.equal(image, kept[0])
    assert torch.equal(adversarial, kept[1])
    known = {sample.image.numpy().tobytes() for sample in gallery()}
    found, _ = correctly_classified(network, "gallery", 5, 0)
    assert all(each.numpy().tobytes() in known for each in found)
    assert torch.equal(Signs.draw(network, 1, 10**9).images, Signs.draw(clf, 1, 10**9).images)


class Narrow(nn.Module):
    """Sees a picture one pixel wide, whose layout is every layout at once, and blackens it."""

    def forward(self, images):
        light = images.sum((1, 3))
        images.zero_()
        return torch.stack([3 - light[:, 0], light[:, 0] + light[:, 1], 0 * light[:, 2]], 1)


def test_a_picture_of_one_pixel_across_is_not_written_into():
    image, adversarial = torch.zeros(3, 4, 1), torch.zeros(3, 4, 1)
    adversarial[:, :2] = 1
    for method in ("integrated_gradients", "shapley", "occlusion"):
        pixels = explain_pixels(Narrow(), image, adversarial, 0, method).pixels
        assert [(pixel.row, pixel.col) for pixel in pixels] == [(0, 0), (1, 0)]
        assert not image.any()
        assert adversarial.sum() == 6


def traced(clf: Classifier) -> nn.Module:
    return torch.jit.trace(clf, torch.zeros(2, 3, *clf.input_size))


def wrapped(clf: Classifier):
    inner = traced(clf)
    return lambda images: inner(images)


def within(clf: Classifier) -> nn.Module:
    return nn.Sequential(nn.Identity(), traced(clf))


def exported(clf: Classifier) -> nn.Module:
    free = ({0: torch.export.Dim.DYNAMIC},)
    return torch.export.export(clf, (torch.zeros(2, 3, *clf.input_size),), dynamic_shapes=free).module()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [traced, wrapped, within, exported])
def test_a_network_that_cannot_be_looked_into_has_the_methods_that_need_no_look(make, case):
    clf, image, adversarial, label = case
    network = make(clf)
    problems = methods_for(network, image)
    assert {name for name, problem in problems.items() if problem} == NEED_A_LOOK
    assert all("it must look inside" in problems[name] for name in NEED_A_LOOK)
    for name in problems.keys() - NEED_A_LOOK:
        found = explain_pixels(network, image, adversarial, label, name, splits=0)
        expected = explain_pixels(clf, image, adversarial, label, name, splits=0)
        assert [pixel.kind for pixel in found.pixels] == [pixel.kind for pixel in expected.pixels]
    with pytest.raises(ValueError, match="Grad-CAM is not valid for this network: it must look inside"):
        explain_pixels(network, image, adversarial, label, "grad_cam")
