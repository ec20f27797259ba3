"""The comparison of attacks: on tiny networks whose counts are known."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.attacks import RandomSearch, SigmaZero, SparseAttack
from explorer.classifiers import Classifier, load_classifier
from explorer.commands import pictures as commands_pictures
from explorer.commands.bench import DEFAULT_ATTACKS, OVERHEAD, named_attack
from explorer.commands.pictures import correctly_classified
from explorer.images import to_png
from explorer.numerics import Share
from explorer.passes import Counted
from explorer.samples import new_sign, renders
from explorer.studies import Study, Subject, cost
from explorer.studies.bench import TERMS, compare, fewest, fooled_within, overhead, worst_case
from explorer.studies.measures import measured
from explorer.types import AttackResult, Trace

SIDE = 6


@pytest.fixture(scope="module")
def clf() -> Classifier:
    """Sees the brighter half: one pixel flips a picture that is nearly even."""
    weight = torch.cat([torch.ones(SIDE // 2 * SIDE), -torch.ones(SIDE // 2 * SIDE)]).repeat(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE**2, 2, bias=False))
    network[1].weight.data = torch.stack([weight, -weight])
    return Classifier(
        network,
        name="halves",
        class_names=["Top", "Bottom"],
        input_size=(SIDE, SIDE),
        dataset="custom",
        mean=[0.0] * 3,
        std=[1.0] * 3,
    )


@pytest.fixture(scope="module")
def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.full((5, 3, SIDE, SIDE), 100 / 255)
    images[:, :, 0, 0] = 110 / 255
    for number, image in enumerate(images):  # no two are the same: one picture is attacked once
        image[:, 2:4, number] = 101 / 255
    images[3:] = images[3:].flip(2)
    return images, torch.tensor([0, 0, 0, 1, 1])


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_attack_sees_every_picture_and_is_timed_against_the_first_sigma_zero(clf, pictures):
    attacks = {"sparse": SparseAttack(steps=10), "sigma-zero-20": SigmaZero(steps=20, unit="pixel", prune=True)}
    heard = []
    rows = compare(clf, *pictures, attacks, batch=2, on_progress=heard.append)
    assert [row.attack for row in rows] == list(attacks)
    assert heard == [2, 4, 6, 8, 9, 10], "in turns, two pictures at a time"
    for row in rows:
        assert row.pictures == 5
        assert row.success == row.png_fools == 1
        assert row.mean_pixels == row.median_pixels == 1
        assert 1 <= row.mean_entries <= 3
        assert row.seconds > 0
        assert math.isnan(row.memory_mb) or row.memory_mb >= 0
    assert rows[1].time_ratio == 1
    assert rows[0].time_ratio == pytest.approx(rows[0].seconds / rows[1].seconds)


@dataclasses.dataclass(frozen=True)
class BetweenGreyLevels:
    """An attack that leaves the 8-bit grid, by less than half a grey level on each value."""

    per_image = ()
    has_weights = False

    def __call__(self, network, images, labels, targets=None, on_step=None) -> AttackResult:
        lead = 0.45 / 255 * torch.where(labels == 0, -1, 1)[:, None, None, None].float()
        half = torch.ones(1, 3, SIDE, SIDE)
        half[:, :, SIDE // 2 :] = -1
        adversarial = images + lead * half
        trace = Trace(*torch.zeros(3, 1, len(images)))
        seen = network(adversarial).argmax(1)
        return AttackResult(images, labels, None, adversarial, seen, seen != labels, {"optimised": adversarial}, trace)


def test_a_picture_that_fools_only_before_it_is_saved_is_found_out(clf, pictures):
    images, labels = pictures

    (row,) = compare(clf, images, labels, {"cheat": BetweenGreyLevels()}, batch=5)
    assert row.success == 1
    assert row.png_fools == 0
    assert math.isnan(row.time_ratio)


def test_pictures_are_counted_forwards_and_backwards(clf, pictures):
    counted = Counted(clf)
    images = pictures[0].clone().requires_grad_()
    assert torch.equal(counted(images), clf(images))
    assert (counted.forward_passes, counted.backward_passes) == (5, 0)
    torch.autograd.grad(counted(images[:2]).sum(), images)
    assert (counted.forward_passes, counted.backward_passes) == (7, 2)
    with torch.no_grad():
        counted(images)
    assert (counted.forward_passes, counted.backward_passes) == (12, 2)


def test_an_attack_without_gradients_needs_no_backward_passes(clf, pictures):
    found = measured(clf, *pictures, RandomSearch(queries=10, k=SIDE), TERMS)
    assert {row["backward_passes"] for row in found} == {0}
    assert all(row["forward_passes"] >= 1 for row in found)
    few, many = (measured(clf, *pictures, SigmaZero(steps=n), TERMS)[0]["backward_passes"] for n in (5, 15))
    assert many - few == 10


def test_the_worst_case_over_attacks_is_the_fewest_pixels_of_any(clf, pictures):
    inf = math.inf
    one, other = torch.tensor([3.0, inf, 5, inf]), torch.tensor([4.0, 2, inf, inf])
    worst = worst_case([one, other])
    assert worst.tolist() == [3, 2, 5, inf]
    assert [fooled_within(worst, k).hits for k in range(6)] == [0, 0, 1, 2, 2, 3]
    assert fooled_within(worst, 10**9) == Share(3, 4), "what is never fooled is never counted"
    found = measured(clf, *pictures, SparseAttack(steps=10), TERMS)
    assert fewest(found).tolist() == [1] * 5
    assert fewest([row | {"succeeded": False} for row in found]).tolist() == [inf] * 5


def test_settings_that_could_share_a_batch_are_timed_apart(clf, pictures):
    attacks = {"narrow": SparseAttack(steps=5, a=0.05), "wide": SparseAttack(steps=5, a=0.2)}
    assert [row.pictures for row in compare(clf, *pictures, attacks, batch=5)] == [5, 5]
    study = Study([Subject("", clf, *pictures)], [*attacks.values()], batch=9, terms=TERMS)
    while study.advance():
        pass
    assert {row["batch"] for row in study.rows()} == {5}
    assert len({row["seconds"] for row in study.rows()}) == 2


def test_an_attack_that_fools_nothing_has_no_counts(clf, pictures):
    images, labels = pictures
    hopeless = SparseAttack(steps=1, max_pixels=1, tau=0.99, prune=False, polish=False)
    images = images.clone()
    images[:3, :, : SIDE // 2], images[3:, :, SIDE // 2 :] = 1, 1
    (row,) = compare(clf, images, labels, {"sparse": hopeless}, batch=5)
    assert row.success == row.png_fools == 0
    assert math.isnan(row.mean_pixels)
    assert math.isnan(row.median_entries)


def test_the_overhead_is_the_attack_against_bare_passes(clf, pictures):
    cost = overhead(clf, *pictures, SparseAttack(steps=5, prune=False, polish=False), repeats=2)
    assert cost.ratio == cost.attack_seconds / cost.network_seconds > 0
    assert cost.steps == 5


@pytest.mark.parametrize(
    ("name", "attack"),
    [
        ("sparse", SparseAttack()),
        ("sparse-20-bare", SparseAttack(steps=20, prune=False, polish=False)),
        ("sparse-paper", SparseAttack.paper()),
        ("sparse-paper-refined-7", SparseAttack.paper(steps=7, prune=True, polish=True)),
        ("sparse:a=0.2:max_pixels=3:polish=no", SparseAttack(a=0.2, max_pixels=3, polish=False)),
        ("sparse-entry:schedule=annealed", SparseAttack(unit="entry", schedule="annealed")),
        ("sigma-zero-1000", SigmaZero(steps=1000)),
        ("sigma-zero-pixel-1000", SigmaZero(steps=1000, unit="pixel")),
        ("sigma-zero-pixel-1000-refined", SigmaZero(steps=1000, unit="pixel", prune=True, polish=True)),
    ],
)
def test_a_name_stands_for_an_attack(name, attack):
    assert named_attack(name) == attack


@pytest.mark.parametrize(
    "name",
    ["", "dense", "sparsest", "sparse-fast", "sigma-zero-paper", "sparse:b=1", "sparse:a", "sparse:a=x", "sparse:a=-1"],
)
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(ValueError, match=r"\w \w.*\.$"):
        named_attack(name)


def test_the_default_attacks_have_names():
    assert [type(named_attack(name)) for name in DEFAULT_ATTACKS.split(",")] == [SparseAttack] + [SigmaZero] * 3


def test_bench_prints_and_writes_the_table(tmp_path, capsys):
    out = tmp_path / "new" / "bench.csv"
    attacks = "sparse-5-bare,sigma-zero-5"
    options = ["--n", "3", "--batch", "2", "--attacks", attacks, "--repeats", "1", "--device", "cpu", "--out", str(out)]
    assert main(["bench", "--model", "signs-resnet", *options]) == 0
    printed, err = capsys.readouterr()
    assert err == ""
    rows = table(out)
    assert [row["attack"] for row in rows] == [*attacks.split(","), OVERHEAD.format("sparse-5-bare")]
    assert all(row["pictures"] == "3" for row in rows[:2])
    assert float(rows[2]["time_ratio"]) > 0
    for row in rows:
        assert row["attack"] in printed


def test_bench_refuses_bad_input_in_one_line(tmp_path, capsys):
    for options in (
        ["--n", "0"],
        ["--batch", "0"],
        ["--attacks", "dense"],
        ["--repeats", "-1"],
        ["--pictures", str(tmp_path / "nowhere")],
        ["--pictures", str(tmp_path)],
        ["--seed", "-1"],
    ):
        assert main(["bench", "--model", "signs-resnet", "--device", "cpu", *options]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def save(folder, classes, pictures) -> None:
    for number, (image, label) in enumerate(zip(*pictures, strict=True)):
        place = folder / classes[int(label)]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(to_png(image))
        (place / "notes.txt").write_text("no picture")


@pytest.mark.parametrize("classes", [["top", "BOTTOM"], ["0-first", "1-second"]], ids=["by name", "in order"])
def test_a_folder_holds_a_folder_per_class(classes, clf, pictures, tmp_path):
    save(tmp_path, classes, pictures)
    images, labels = correctly_classified(clf, str(tmp_path), n=100, seed=0)
    assert sorted(labels.tolist()) == [0, 0, 0, 1, 1]
    assert (clf(images).argmax(1) == labels).all()
    some, _ = correctly_classified(clf, str(tmp_path), n=2, seed=0)
    assert torch.equal(some, images[:2])


def test_a_folder_whose_classes_are_unknown_is_refused(clf, pictures, tmp_path):
    save(tmp_path, ["Top", "Bottom"], pictures)
    save(tmp_path, ["Left", "Right"], pictures)
    with pytest.raises(ValueError, match="'Left' is no class"):
        correctly_classified(clf, str(tmp_path), n=100, seed=0)


def test_pictures_that_the_network_mistakes_are_left_out(clf, pictures, tmp_path):
    save(tmp_path, ["Bottom", "Top"], pictures)
    with pytest.raises(ValueError, match=r"no picture of .* correctly"):
        correctly_classified(clf, str(tmp_path), n=100, seed=0)


def test_the_search_for_pictures_that_are_classified_correctly_ends(monkeypatch):
    """With a network that is always wrong there would be no end of renders."""
    clf = load_classifier("signs-resnet", device="cpu")
    monkeypatch.setattr(commands_pictures, "CHUNK", 2)
    monkeypatch.setattr(renders, "class_of", lambda seed: (seed + 1) % 18)
    monkeypatch.setattr(renders, "drawn", lambda seed: new_sign(1 + seed % 18).image)
    with pytest.raises(ValueError, match="no picture of renders correctly"):
        correctly_classified(clf, "renders", n=1, seed=0)


def test_signs_need_a_network_of_signs(clf):
    with pytest.raises(ValueError, match="18 classes of rendered road signs, but 2 of the network"):
        correctly_classified(clf, "renders", n=1, seed=0)


def test_the_memory_and_the_end_are_those_of_the_device_that_works(monkeypatch):
    asked = []
    allocated = {"cuda:1": 100, "cuda:0": 7000}
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: asked.append(str(device)))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device=None: allocated[str(device or "cuda:0")])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device=None: 9 * allocated[str(device or "cuda:0")])
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: asked.append(str(device or "cuda:0")))
    assert cost.PeakMemory(torch.device("cuda:1")).peak() == 800
    cost.seconds(torch.device("cuda:1"), lambda: None)
    assert asked == ["cuda:1"] * 3


def test_a_network_without_a_gradient_is_compared_by_random_searches(clf, pictures):
    class Rounds(nn.Module):
        def forward(self, images):
            return clf(images.detach()).detach()

    (row,) = compare(Rounds(), *pictures, {"random": RandomSearch(queries=30, k=3)}, batch=5)
    assert row.pictures == 5
