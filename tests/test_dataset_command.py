"""`python -m explorer dataset`: its files, going on, what it refuses."""

import csv
import json
import os
import shlex

import pytest
from PIL import Image

from explorer.__main__ import main
from explorer.images import load_image, to_png
from explorer.studies.dataset import DataSetStudy, apply_changes, read_frame
from tests.halves import NAMES, picture

OWN = """
import torch
from tests.halves import Halves, picture, SIDE


def load():
    network = Halves()
    network.class_names, network.input_size = ["Top", "Bottom"], SIDE
    return network


def other():
    network = load()
    network.weight.mul_(2)
    return network


def pictures():
    return torch.stack([picture(9), picture(5, 4)]), torch.tensor([0, 1])
"""
QUICK = ["--steps", "6", "--no-polish", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path):
    """Pictures as people have them: classes, names with spaces and emoji, a copy, broken, grey, tiny ones."""
    root = tmp_path / "my pictures 🛑"
    for row, name in enumerate(NAMES):
        (root / name).mkdir(parents=True)
        for i in range(3):
            (root / name / f"pic ture {i} 🛑.png").write_bytes(to_png(picture(8 + 3 * i, 4 * row, i)))
    (root / "Top" / "copy.png").write_bytes(to_png(picture(8)))
    (root / "Top" / "mistaken.png").write_bytes(to_png(picture(8, 5)))
    (root / "Top" / "broken.png").write_bytes(b"\x89PNG and no more")
    (root / "Top" / "Thumbs.db").write_bytes(b"left behind")
    Image.new("L", (2, 2), 90).save(root / "Bottom" / "grey.png")
    return root


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    return f"{tmp_path / 'own.py'}:load"


def run(*arguments) -> int:
    return main(["dataset", *map(str, arguments), *QUICK])


def test_a_folder_becomes_a_table_a_report_and_pictures(folder, own, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("--model", own, "--pictures", folder, "--out", out, "--save-pictures") == 0
    printed = capsys.readouterr()
    assert "broken.png: The file cannot be read as a picture" in printed.err
    assert "copy.png: the same picture as" in printed.err or "the same picture as Top/copy.png" in printed.err
    assert "fooled" in printed.out
    table = read_frame(out / "table.csv")
    assert len(table) in (6, 7), "a grey picture is a tie, which one class wins"
    assert {*table["true_class"]} == {*NAMES}
    assert read_frame(out / "table.parquet").equals(table)
    for row in table.to_dict("records"):
        saved = out / "pictures" / row["network"].replace("/", "_") / f"{row['picture'].removesuffix('.png')}.png"
        clean = load_image(folder / row["picture"])
        if tuple(clean.shape[1:]) == (6, 6):
            assert (load_image(next(out.rglob(saved.name))) - apply_changes(clean, row["change"])).abs().max() < 1
    left_out = [*csv.DictReader((out / "left_out.csv").read_text().splitlines())]
    assert {each["kind"] for each in left_out} == {"copy", "mistaken", "unreadable"}
    document = (out / "report.html").read_text()
    assert "my pictures 🛑" in document
    assert shlex.quote(str(folder)).replace("'", "&#x27;") in document
    assert json.loads((out / "study.json").read_text())["attack"] == "SparseAttack"


def test_no_name_of_what_is_left_out_is_a_formula(own, tmp_path):
    (flat := tmp_path / "flat").mkdir()
    (flat / "a.png").write_bytes(to_png(picture(9)))
    (flat / "=1+1.png").write_bytes(b"no picture")
    assert run("--model", own, "--pictures", flat, "--guess", "--out", tmp_path / "out") == 0
    (left_out,) = csv.DictReader((tmp_path / "out" / "left_out.csv").read_text().splitlines())
    assert left_out["picture"] == "'=1+1.png"


def test_it_goes_on_after_it_was_stopped_and_takes_more_pictures(folder, own, tmp_path, capsys, monkeypatch):
    out, real, seen = tmp_path / "out", DataSetStudy.advance, []

    def stopped(self, on_step=None):
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, on_step)

    asked = ["--model", own, "--pictures", folder, "--out", out, "--batch", "1"]
    monkeypatch.setattr(DataSetStudy, "advance", stopped)
    assert run(*asked, "--n", "5") == 130
    assert "the same command goes on" in capsys.readouterr().err
    kept = len((out / "runs.jsonl").read_text().splitlines())
    assert kept == 2
    monkeypatch.undo()
    assert run(*asked, "--n", "5") == 0
    few = len(read_frame(out / "table.csv"))
    lines = (out / "runs.jsonl").read_text().splitlines()
    assert len({json.loads(each)["key"] for each in lines}) == len(lines) == 2 * few, "nothing twice"
    assert run(*asked) == 0
    assert len(read_frame(out / "table.csv")) > few


def test_what_would_mix_two_studies_is_refused(folder, own, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["--pictures", folder, "--out", out]
    assert run("--model", own, *asked) == 0
    before = (out / "table.csv").read_bytes()
    capsys.readouterr()
    assert run("--model", own.replace(":load", ":other"), *asked) == 2
    assert "other networks" in capsys.readouterr().err
    assert main(["dataset", "--model", own, *map(str, asked), "--steps", "7", "--no-polish", "--device", "cpu"]) == 2
    assert "a study made with other settings, and rows of two are never mixed" in capsys.readouterr().err
    assert (out / "table.csv").read_bytes() == before
    assert run("--model", own.replace(":load", ":other"), *asked, "--restart") == 0
    assert {*read_frame(out / "table.csv")["network"]} == {own.replace(":load", ":other")}


def test_somebody_elses_files_are_left_alone(own, folder, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "table.csv").write_text("mine")
    asked = ["--model", own, "--pictures", folder]
    assert run(*asked, "--out", tmp_path / "out") == 2
    assert run(*asked, "--out", tmp_path / "out", "--restart") == 2
    assert "is not of a study of this command" in capsys.readouterr().err
    assert (tmp_path / "out" / "table.csv").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    assert run(*asked, "--out", tmp_path / "file") == 2
    assert "--out names a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            ["--model", "signs-cnn", "--pictures", "{folder}"],
            "is no class of the network, and 2 folders are not",
        ),
        (["--model", "cifar-vgg"], "cifar-vgg knows CIFAR-10, and the true class of sign-1 is one of rendered road"),
        (["--model", "{own}", "--pictures", "{folder}", "--n", "0"], "--n and --batch must be at least 1"),
        (["--model", "{own}", "--pictures", "nowhere"], "The folder nowhere cannot be read"),
        (["--model", "{own}", "--pictures", "cifar10", "--data", "{folder}"], "CIFAR-10 is not in"),
        (["--model", "signs-cnn", "--n", "2", "--method", "attention_rollout"], "is not valid for signs-cnn"),
    ],
)
def test_bad_input_is_one_line(asked, says, folder, own, tmp_path, capsys):
    arguments = [each.format(folder=folder, own=own) for each in asked]
    try:
        code = run(*arguments, "--out", tmp_path / "out")
    except SystemExit as error:  # an option that argparse refuses
        code = error.code
    error = capsys.readouterr().err
    assert code == 2
    assert says in error
    assert not (tmp_path / "out" / "table.csv").exists()


def test_folders_that_are_no_classes_can_be_guessed(folder, tmp_path):
    assert run("--model", "signs-cnn", "--pictures", folder, "--guess", "--n", "3", "--out", tmp_path / "out") == 0
    table = read_frame(tmp_path / "out" / "table.csv")
    assert not table["class_known"].any()
    assert run("--model", "cifar-vgg", "--pictures", "gallery", "--guess", "--n", "2", "--out", tmp_path / "two") == 0
    assert len(read_frame(tmp_path / "two" / "table.csv")) == 2


def test_pictures_of_ones_own_function(own, tmp_path):
    code = own.replace(":load", ":pictures")
    assert run("--model", own, "--pictures", code, "--out", tmp_path / "out") == 0
    assert read_frame(tmp_path / "out" / "table.csv")["picture"].tolist() == ["0", "1"]


def test_no_room_on_the_disk_is_one_line(folder, own, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert run("--model", own, "--pictures", folder, "--out", tmp_path / "out") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not [*(tmp_path / "out").glob("*.part")]
