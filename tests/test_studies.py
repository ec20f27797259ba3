"""Sweeps: each run is what its setting does alone, nothing is done twice, and the tables say what happened."""

import dataclasses
import json
import math
import resource
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.attacks import SparseAttack
from explorer.classifiers import load_classifier
from explorer.defences import DEFENCES
from explorer.knobs import knobs
from explorer.samples import find_sample
from explorer.studies import (
    EXPERIMENTS,
    Ledger,
    Study,
    Subject,
    Terms,
    best_setting,
    grid,
    means,
    pareto_front,
    spread,
    to_table,
    write_table,
)
from explorer.studies.measures import converged_step, pack, settled, unpack
from explorer.studies.plan import KEPT_PIXELS
from explorer.types import Trace

SIDE = 6
BARE = SparseAttack(steps=8, prune=False, polish=False)


class Halves(nn.Module):
    """Sees the brighter half: one pixel flips a picture that is nearly even. Counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.cat([torch.ones(SIDE // 2 * SIDE), -torch.ones(SIDE // 2 * SIDE)]).repeat(3)
        self.register_buffer("weight", torch.stack([weight, -weight]))
        self.asked = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += len(images)
        return images.flatten(1) @ self.weight.T


@pytest.fixture
def subject() -> Subject:
    images = torch.full((3, 3, SIDE, SIDE), 100 / 255)
    images[:, :, 0, 0] = 110 / 255
    images[1, :, 1, 1] = 120 / 255
    images[2] = images[2].flip(1)
    return Subject("halves", Halves(), images, torch.tensor([0, 0, 1]), ("one", "two", "three"))


def finished(study: Study) -> list[dict]:
    while study.advance():
        pass
    assert study.left == 0
    return study.rows()


def test_a_grid_is_every_combination_the_last_knob_fastest():
    settings = grid(BARE, {"a": [0.1, 0.2], "surrogate": ["normal", "sigmoid"], "steps": [3]})
    assert [(each.a, each.surrogate) for each in settings] == [
        (0.1, "normal"),
        (0.1, "sigmoid"),
        (0.2, "normal"),
        (0.2, "sigmoid"),
    ]
    assert {(each.steps, each.prune) for each in settings} == {(3, False)}
    assert grid(BARE, {}) == [BARE]


@pytest.mark.parametrize(
    ("values", "says"),
    [({"b": [1]}, "no setting 'b'"), ({"a": []}, "a has no value"), ({"a": [0.1, -1]}, "a must lie in")],
)
def test_a_bad_grid_is_one_sentence(values, says):
    with pytest.raises(ValueError, match=says):
        grid(BARE, values)


@pytest.mark.parametrize("batch", [1, 5, None])
def test_every_run_is_what_its_setting_does_alone(subject, batch):
    settings = grid(BARE, {"a": [0.1, 0.3], "lam": [0.5, 2.0], "steps": [4, 8]})
    rows = finished(Study([subject], settings, batch=batch))
    assert [row["picture"] for row in rows] == ["one", "two", "three"] * len(settings)
    for number, setting in enumerate(settings):
        alone = setting(subject.network, subject.images, subject.labels)
        for row, n_pixels, succeeded in zip(rows[3 * number :], alone.n_pixels, alone.succeeded, strict=False):
            assert {name: row[name] for name in knobs(SparseAttack)} == dataclasses.asdict(setting)
            assert (row["n_pixels"], row["succeeded"]) == (int(n_pixels), bool(succeeded))
            assert row["batch"] <= (batch or math.inf)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["signs-resnet", "signs-cnn"])
def test_a_cell_of_a_grid_is_its_single_run_to_the_last_bit(name):
    clf, sign = load_classifier(name, device="cpu"), find_sample("stop-1")
    image, label = sign.image[None], torch.tensor([sign.label])
    settings = grid(
        dataclasses.replace(BARE, steps=30), {"a": [0.05, 0.1, 0.2], "lam": [0.3, 1.0], "tau": [0.02, 0.1, 0.3]}
    )
    rows = finished(Study([Subject(name, clf, image, label)], settings))
    assert {row["batch"] for row in rows} == {len(settings)}
    for row, setting in zip(rows, settings, strict=True):
        alone = setting(clf, image, label)
        assert row["n_pixels"] == int(alone.n_pixels)
        assert row["changes"] == pack(sign.image, alone.adversarial[0])


def test_settings_of_one_batch_differ_only_in_what_may_differ(subject):
    rows = finished(Study([subject], grid(BARE, {"a": [0.1, 0.3], "surrogate": ["normal", "sigmoid"]})))
    assert {row["batch"] for row in rows} == {6}


def test_a_stopped_study_keeps_what_is_done_and_goes_on_from_its_file(subject, tmp_path):
    settings, file = grid(BARE, {"lam": [0.5, 1.0, 2.0]}), tmp_path / "kept.jsonl"
    whole = finished(Study([subject], settings, batch=2))
    study = Study([subject], settings, Ledger(file), batch=2)
    assert study.advance()
    assert not study.advance(lambda step: step.done == 3)
    assert (study.done, study.left, study.total) == (2, 7, 9)

    file.write_bytes(file.read_bytes() + b'{"key": "broken off in the mid')
    again = Study([subject], settings, Ledger(file), batch=2)
    assert again.done == 2
    found = {"seconds", "batch", "memory_mb"}
    for row, once in zip(finished(again), whole, strict=True):
        assert {k: v for k, v in row.items() if k not in found} == {k: v for k, v in once.items() if k not in found}
    lines = [line for line in file.read_text().splitlines() if not line.endswith("mid")]
    keys = [json.loads(line)["key"] for line in lines]
    assert len(keys) == len({*keys}) == 9


def test_nothing_is_done_twice_and_a_larger_grid_does_what_is_new(subject):
    ledger = Ledger()
    finished(Study([subject], grid(BARE, {"lam": [0.5, 1.0]}), ledger))
    asked = subject.network.asked
    assert Study([subject], grid(BARE, {"lam": [0.5, 1.0]}), ledger).left == 0
    larger = Study([subject], grid(BARE, {"lam": [0.5, 1.0, 2.0]}), ledger)
    assert larger.left == 3
    assert subject.network.asked == asked
    finished(larger)
    assert subject.network.asked > asked


def test_a_ledger_of_another_version_or_network_is_refused_and_never_mixed(subject, tmp_path):
    file = tmp_path / "kept.jsonl"
    finished(Study([subject], [BARE], Ledger(file)))
    kept, other = file.read_bytes(), Halves()
    other.weight *= 2
    with pytest.raises(ValueError, match=r"kept\.jsonl holds runs of another network that was called halves: .*\.$"):
        Study([dataclasses.replace(subject, network=other)], [BARE], Ledger(file))
    for changed in ({"version": "0123456789ab, torch 1.0"}, {"version": None}):
        found = enumerate(kept.decode().splitlines())
        rows = [json.dumps(json.loads(line) | changed | {"key": f"of another {i}"}) for i, line in found]
        file.write_text("\n".join(rows))
        with pytest.raises(ValueError, match=r"kept\.jsonl was made by another version .*; this is .*\.$"):
            Study([subject], [BARE], Ledger(file))
        assert file.read_text() == "\n".join(rows)
    file.write_bytes(kept)
    assert Study([subject], [BARE], Ledger(file)).left == 0


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(subject, tmp_path):
    """A file may grow no further, as on a disk that is full: what is half written is taken back."""
    file, settings = tmp_path / "kept.jsonl", grid(BARE, {"lam": [0.5, 1.0, 2.0]})
    study = Study([subject], settings, Ledger(file), batch=3)
    assert study.advance()
    before, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
        with pytest.raises(ValueError, match=r"kept\.jsonl cannot be written: File too large\. What it held before"):
            study.advance()
        assert file.read_bytes() == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    asked = subject.network.asked
    assert (study.done, Study([subject], settings, Ledger(file)).done) == (6, 3)
    study.ledger.flush()
    assert subject.network.asked == asked, "it was not done again"
    assert Study([subject], settings, Ledger(file)).done == 6
    assert len(finished(study)) == 9


def test_attacks_and_networks_take_turns_part_by_part(subject):
    other = dataclasses.replace(subject, name="other", network=Halves())
    other.network.weight *= 2
    settings = [BARE, SparseAttack(steps=8, prune=False, polish=False, surrogate="sigmoid")]
    study = Study([subject, other], settings, batch=1, terms=Terms(mixed=False))
    turns = []
    while study.advance():
        row = [*study.ledger.rows.values()][-1]
        turns.append((row["picture"], row["network"], row["surrogate"]))
    assert turns == [
        (picture, network, surrogate)
        for picture in subject.pictures
        for network in ("halves", "other")
        for surrogate in ("normal", "sigmoid")
    ]


def test_a_defence_is_an_axis(subject):
    """Behind the shift, the picture's first row is gone, and with it the pixel that would decide."""
    shifted = dataclasses.replace(subject, defence=DEFENCES["shift"](rows=1, columns=0))
    plain, filtered = Study([subject], [BARE]), Study([subject, shifted], [BARE])
    rows = finished(filtered)
    assert [row["defence"] for row in rows] == [""] * 3 + [repr(shifted.defence)] * 3
    assert len({row["network_sha256"] for row in rows}) == 2
    unlike = {"seconds", "memory_mb"}
    for row, alone in zip(rows[:3], finished(plain), strict=True):
        assert {k: v for k, v in row.items() if k not in unlike} == {k: v for k, v in alone.items() if k not in unlike}
    behind = BARE(shifted.attacked, subject.images, subject.labels)
    assert [row["n_pixels"] for row in rows[3:]] == behind.n_pixels.tolist()


def test_what_comes_twice_is_done_once(subject):
    study = Study([subject], [BARE, BARE])
    assert (study.total, study.left) == (3, 3)
    assert study.advance()
    assert not study.advance()
    assert [row["batch"] for row in study.rows()] == [3] * 6


def test_another_network_picture_or_class_is_another_run(subject):
    ledger = Ledger()
    finished(Study([subject], [BARE], ledger))
    other = Halves()
    other.weight *= 2
    pictures, labels = subject.images.clone(), subject.labels.clone()
    pictures[0, 0, 0, 0] += 1 / 255
    labels[0] = 1
    assert Study([dataclasses.replace(subject, name="other", network=other)], [BARE], ledger).left == 3
    assert Study([dataclasses.replace(subject, images=pictures)], [BARE], ledger).left == 1
    assert Study([dataclasses.replace(subject, labels=labels)], [BARE], ledger).left == 1
    assert Study([dataclasses.replace(subject, name="renamed")], [BARE], ledger).left == 0


def test_a_batch_is_bounded_by_the_size_of_the_pictures():
    sizes = [Subject("", nn.Identity(), torch.zeros(1, 3, n, n), torch.zeros(1)).batch for n in (8, 32, 64, 224, 2000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert all(size * 3 * n * n * 4 <= 3e6 for size, n in zip(sizes[:4], (8, 32, 64, 224), strict=True))


def test_the_steps_say_when_the_best_came_and_whether_it_settled():
    margin = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]])
    n_pixels = torch.tensor([[9, 9], [5, 8], [3, 0], [3, 0]])
    trace = Trace(margin, n_pixels, margin)
    assert converged_step(trace).tolist()[0] == 3
    assert math.isnan(converged_step(trace)[1])
    assert settled(trace).tolist() == [True, False]  # no pixel at all is no result that was settled on
    swings = torch.tensor([[50, 50], [60, 52], [40, 48], [60, 50]]).repeat(2, 1)
    assert settled(Trace(swings, swings, swings)).tolist() == [False, True]


def test_changed_pixels_are_kept_in_small_and_come_back():
    image = torch.randint(0, 256, (3, 40, 40), generator=torch.Generator().manual_seed(0)) / 255
    adversarial = image.clone()
    opposite = (255 - (image * 255).round()) / 255
    adversarial[:, 3, 7], adversarial[1, 39, 0] = opposite[:, 3, 7], opposite[1, 39, 0]
    assert torch.equal(unpack(image, pack(image, adversarial)), adversarial)
    assert torch.equal(unpack(image, pack(image, image)), image)
    assert pack(image, opposite) == "", f"more than {KEPT_PIXELS} are not kept"
    assert unpack(image, "") is None


def test_the_table_is_tidy_and_survives_both_formats(subject, tmp_path):
    table = to_table(finished(Study([subject], grid(BARE, {"lam": [0.5, 1.0]}))))
    assert len(table) == 6
    assert {"network", "picture", "seed", "torch", "python", "network_sha256", *knobs(SparseAttack)} <= {*table}
    for name in ("rows.csv", "deep/rows.parquet"):
        write_table(table, tmp_path / name)
    parquet = pd.read_parquet(tmp_path / "deep/rows.parquet")
    assert parquet["n_pixels"].tolist() == table["n_pixels"].tolist()
    assert pd.read_csv(tmp_path / "rows.csv")["lam"].tolist() == table["lam"].tolist()
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet"):
        write_table(table, tmp_path / "rows.xlsx")


def rows(*of: tuple[float, int, bool]) -> pd.DataFrame:
    """A table of (lam, pixels, fooled)."""
    shared = {"network": "n", "confidence": 0.5, "converged_step": 1.0, "settled": True, "seconds": 1.0}
    counts = {"weights_l0": 10, "weights_smoothed_l0": 9.0}
    return pd.DataFrame(
        [{"lam": lam, "n_pixels": n, "optimised_pixels": n, "succeeded": ok, **shared, **counts} for lam, n, ok in of]
    )


def test_means_are_those_of_the_fooled_pictures():
    table = rows((1.0, 4, True), (1.0, 8, True), (1.0, 100, False), (2.0, 7, False))
    summary = means(table, ["lam"])
    assert summary["lam"].tolist() == [1, 2]
    assert summary["pixels"].tolist()[0] == 6
    assert math.isnan(summary["pixels"][1])
    assert summary["success"].tolist() == pytest.approx([2 / 3, 0])
    assert summary["runs"].tolist() == [3, 1]
    assert summary["closeness"].tolist() == pytest.approx([0.9, 0.9])
    band = spread(table, ["lam"], "pixels")
    assert (band["q25"][0], band["mean"][0], band["q75"][0]) == (5, 6, 7)
    assert spread(table, ["lam"], "success")["mean"].tolist() == summary["success"].tolist()


def test_the_best_setting_fools_most_and_then_needs_fewest():
    summary = means(rows((1.0, 2, True), (1.0, 2, False), (2.0, 9, True), (3.0, 8, True)), ["lam"])
    assert best_setting(summary)["lam"] == 3
    assert best_setting(means(rows((1.0, 2, False)), ["lam"])) is None


def test_the_front_is_what_nothing_beats():
    table = pd.DataFrame({"pixels": [1, 2, 2, 3, 3, math.nan], "success": [0.5, 0.9, 0.9, 0.9, 1.0, 0.0]})
    assert pareto_front(table, "pixels", "success").tolist() == [True, True, True, False, True, False]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_looks_at_the_stages_that_it_names_and_varies_what_it_says(name):
    experiment = EXPERIMENTS[name]
    assert len({*map(repr, experiment.settings)}) == len(experiment.settings) > 4
    whole = name == "limit"
    assert all(setting.prune == setting.polish == whole for setting in experiment.settings)
    assert ("optimised stage alone" in experiment.stages) is not whole
    assert experiment.x in experiment.by
    assert {*experiment.columns} <= {*means(rows((1.0, 4, True)), ["lam"])}


OWN = """
import torch

def load():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))

def other():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))

def pictures():
    images = torch.rand(20, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return images, load()(images).argmax(1)
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "own.py"
    file.write_text(OWN)
    return str(file)


def test_the_command_sweeps_any_setting_over_several_networks_and_resumes(own, tmp_path, capsys):
    out = tmp_path / "out" / "rows.parquet"
    given = ["--model", f"{own}:load,{own}:other", "--device", "cpu", "--pictures", f"{own}:pictures", "--n", "3"]
    grid_of = ["--lam", "0.5,1", "--surrogate", "normal,sigmoid", "--steps", "4", "--no-prune", "--no-polish"]
    with torch.random.fork_rng():
        assert main(["sweep", *given, *grid_of, "--out", str(out)]) == 0
        table = pd.read_parquet(out)
        assert table["network"].nunique() == 2
        assert {*zip(table["lam"], table["surrogate"], strict=True)} == {
            (lam, surrogate) for lam in (0.5, 1.0) for surrogate in ("normal", "sigmoid")
        }
        kept = out.with_suffix(".jsonl").read_bytes()
        assert main(["sweep", *given, *grid_of, "--out", str(out)]) == 0
        assert out.with_suffix(".jsonl").read_bytes() == kept
        assert main(["sweep", *given, *grid_of, "--out", str(out), "--restart"]) == 0
    assert out.with_suffix(".jsonl").read_bytes() != kept, "other times"
    assert "fooled" in capsys.readouterr().out


def test_ctrl_c_keeps_what_is_done(own, tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.csv"
    given = ["--model", f"{own}:load", "--device", "cpu", "--pictures", f"{own}:pictures", "--n", "4", "--batch", "2"]
    advance = Study.advance

    def interrupted(self, on_step=None):
        if self.done:
            raise KeyboardInterrupt
        return advance(self, on_step)

    with torch.random.fork_rng():
        with monkeypatch.context() as patched:
            patched.setattr(Study, "advance", interrupted)
            assert main(["sweep", *given, "--steps", "4", "--no-prune", "--no-polish", "--out", str(out)]) == 130
        assert "Stopped: 2 of 4 runs are kept" in capsys.readouterr().err
        assert len(pd.read_csv(out)) == 2
        assert main(["sweep", *given, "--steps", "4", "--no-prune", "--no-polish", "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 4


@pytest.mark.parametrize(
    "options",
    [["--a", "0.1,-1"], ["--out", "rows.xlsx"], ["--batch", "0"], ["--surrogate", "normal,cubic"], ["--steps", "x"]],
)
@pytest.mark.parametrize("command", [["sweep"], ["experiment", "lambda"]], ids=lambda command: command[0])
def test_bad_options_are_one_line_before_any_work(command, options, capsys):
    try:
        code = main([*command, "--model", "signs-resnet", "--device", "cpu", *options])
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_an_experiment_is_one_command(own, tmp_path, capsys):
    out = tmp_path / "schedule.csv"
    given = ["--model", f"{own}:load", "--device", "cpu", "--pictures", f"{own}:pictures", "--n", "2"]
    with torch.random.fork_rng():
        assert main(["experiment", "schedule", *given, "--out", str(out)]) == 0
    summary = pd.read_csv(out)
    assert [*zip(summary["schedule"], summary["a"], strict=True)] == [
        (schedule, a) for schedule in ("annealed", "constant") for a in (0.03, 0.1, 0.3)
    ]
    assert set(summary["runs"]) == {2}
    assert "2 pictures" in capsys.readouterr().out
    assert (Path(tmp_path) / "experiments.jsonl").exists()
