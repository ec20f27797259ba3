"""The command line: its exit codes, its files, and one plain sentence for every kind of bad input."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from app_page import cifar10_card, write_cifar10
from safetensors.torch import load_file, save_file
from torchvision.models import ResNet18_Weights

from explorer.__main__ import main
from explorer.attacks import SparseAttack
from explorer.classifiers import CLASSIFIERS, load_classifier
from explorer.classifiers.bundled import ASSETS
from explorer.classifiers.class_names import classes_of_folders
from explorer.commands import COMMANDS
from explorer.commands.networks import class_index
from explorer.images import from_uint8, load_image, to_png, to_uint8
from explorer.knobs import knobs
from explorer.samples import find_sample
from explorer.signs import CLASS_NAMES

ROOT = Path(__file__).parents[1]
MODEL = ["--model", "signs-resnet", "--device", "cpu"]
QUICK = ["--steps", "30", "--no-polish"]


def attack(picture: Path | str, out: Path, *options: str) -> int:
    return run("attack", str(picture), *MODEL, "--out", str(out), *options)


def imagenet_names() -> list[str]:
    return ResNet18_Weights.DEFAULT.meta["categories"]


def run(*arguments: str) -> int:
    """The exit code, whichever way it comes."""
    try:
        return main([*arguments])
    except SystemExit as end:
        return end.code


def refused(code: int, capsys) -> str:
    """The one sentence on stderr of a command that refused its input."""
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("python -m explorer")
    return line


@pytest.fixture(scope="module")
def attacked(tmp_path_factory) -> Path:
    """The files of an attack on a sign of the gallery, by a process of its own: clean picture, terminal and all."""
    folder = tmp_path_factory.mktemp("attacked")
    command = [sys.executable, "-W", "error", "-m", "explorer", "attack", "stop-1", *MODEL, *QUICK, "--out", folder]
    end = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONUTF8": "1"})
    assert end.returncode == 0, end.stderr
    assert end.stderr == ""
    (folder / "terminal.txt").write_text(end.stdout)
    return folder


def test_the_files_of_an_attack_agree(attacked):
    result = json.loads((attacked / "result.json").read_text())
    with (attacked / "pixels.csv").open() as file:
        rows = list(csv.DictReader(file))
    clean, adversarial = find_sample("stop-1").image, load_image(attacked / "adversarial.png")
    changed = (clean != adversarial).any(0).nonzero().tolist()

    assert result["succeeded"]
    assert result["saved_picture_fools"]
    assert result["n_pixels"] == len(rows) == len(changed) == result["n_pixels_after_stage"]["pruned"]
    assert result["n_entries"] == int((clean != adversarial).sum())
    assert sorted([int(row["row"]), int(row["col"])] for row in rows) == changed
    for row in rows:
        before, after = (
            [int(row[f"{colour}_{when}"]) for colour in ("red", "green", "blue")] for when in ("before", "after")
        )
        assert to_uint8(clean)[int(row["row"]), int(row["col"])].tolist() == before
        assert to_uint8(adversarial)[int(row["row"]), int(row["col"])].tolist() == after
    seen = load_classifier("signs-resnet", device="cpu")(adversarial[None]).argmax().item()
    assert CLASS_NAMES[seen] == result["labels"]["after"]["name"] != "Stop"
    assert result["settings"]["steps"] == 30
    overlay = load_image(attacked / "overlay.png")
    assert overlay.shape[1] % 64 == 0
    assert overlay.shape[1] >= 640


def test_the_terminal_tells_the_story_the_stages_and_the_pixels(attacked):
    result = json.loads((attacked / "result.json").read_text())
    terminal = (attacked / "terminal.txt").read_text()
    assert result["story"] in terminal
    for stage, count in result["n_pixels_after_stage"].items():
        assert f"{count:,} {stage}" in terminal
    listed = terminal.count("● obscuring") + terminal.count("◆ leading")
    assert listed == min(20, result["n_pixels"])
    assert "still fools" in terminal


def test_a_target_by_name_and_a_label_by_index(tmp_path, capsys):
    picture = tmp_path / "sign.png"
    picture.write_bytes(to_png(find_sample("speed-limit-30-1").image))
    label, target = CLASS_NAMES.index("Speed limit 30"), "speed LIMIT 80"
    assert attack(picture, tmp_path, "--label", str(label), "--target", target, *QUICK) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["labels"]["true"]["name"] == "Speed limit 30"
    assert result["labels"]["target"]["name"] == result["labels"]["after"]["name"] == "Speed limit 80"


def test_a_network_that_is_not_fooled_is_exit_code_3(tmp_path, capsys):
    assert attack("stop-1", tmp_path, "--max-pixels", "1", "--steps", "1", "--no-polish") == 3
    assert "not fooled" in capsys.readouterr().out
    assert not json.loads((tmp_path / "result.json").read_text())["saved_picture_fools"]


def test_a_picture_of_another_size_is_fitted_and_attacked_from_what_is_seen(tmp_path, capsys):
    picture = tmp_path / "large.png"
    enlarged = find_sample("stop-1").image.repeat_interleave(2, 1).repeat_interleave(3, 2)
    picture.write_bytes(to_png(enlarged))
    assert attack(picture, tmp_path, *QUICK) in (0, 3)
    terminal = capsys.readouterr().out
    assert "192 × 128" in terminal
    assert "64 × 64" in terminal
    assert "The true class is not given" in terminal
    assert load_image(tmp_path / "adversarial.png").shape == (3, 64, 64)


def test_a_picture_that_the_network_mistakes_is_attacked_from_what_it_sees(tmp_path, capsys):
    assert attack("stop-1", tmp_path, "--label", "Yield", *QUICK) == 0
    assert "takes this Yield for Stop" in capsys.readouterr().out
    assert json.loads((tmp_path / "result.json").read_text())["already_wrong"]


def test_every_knob_is_an_option_and_the_preset_can_be_changed(tmp_path, capsys):
    paper = ["--preset", "paper", "--steps", "2", "--lam", "0.002", "--max-pixels", "5"]
    assert attack("yield-1", tmp_path, *paper) in (0, 3)
    settings = json.loads((tmp_path / "result.json").read_text())["settings"]
    expected = SparseAttack.paper(steps=2, lam=0.002, max_pixels=5)
    assert settings == {name: getattr(expected, name) for name in knobs(SparseAttack)}


TWICE = ["Cardigan", "cardigan", "crane", "bus", "crane", "Van", "VAN", "2"]


@pytest.mark.parametrize(
    ("text", "found"), [("Cardigan", 0), ("cardigan", 1), ("BUS", 3), ("Van", 5), ("VAN", 6), ("2", 7), ("3", 3)]
)
def test_exactly_a_name_comes_before_its_likes(text, found):
    assert class_index(text, TWICE) == found


@pytest.mark.parametrize(
    ("text", "listed"),
    [("CARDIGAN", r"0 \(Cardigan\), 1 \(cardigan\)"), ("van", r"5 \(Van\), 6 \(VAN\)"), ("crane", r"2 .*, 4 .*")],
)
def test_a_name_of_several_classes_is_a_sentence_that_lists_them(text, listed):
    with pytest.raises(ValueError, match=rf"^'{text}' is the name of several classes: one of {listed} is expected\.$"):
        class_index(text, TWICE)


def test_imagenets_cardigan_is_no_corgi():
    names = imagenet_names()
    assert [class_index(name, names) for name in ("Cardigan", "cardigan")] == [264, 474]


def test_folders_are_matched_with_classes_as_exactly():
    assert classes_of_folders(["bus", "cardigan", "Cardigan"], TWICE) == [3, 1, 0]
    assert classes_of_folders(["b-u_s", "2"], TWICE) == [3, 7]
    with pytest.raises(ValueError, match=r"'car digan' is the name of several classes: one of 0 \(Cardigan\), 1"):
        classes_of_folders(["car digan"], TWICE)


def test_the_results_of_one_run_do_not_stop_the_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert attack("stop-1", Path("stop-1"), *QUICK) == 0


@pytest.mark.parametrize("source", ["nowhere", "file.png"])
def test_pictures_that_are_no_folder_are_a_sentence(source, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.png").write_bytes(b"")
    assert f"The folder {source} cannot be read" in refused(run("bench", *MODEL, "--pictures", source), capsys)


NETWORK = """
import torch

def load():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 4))

def pictures():
    images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return images, load()(images).argmax(1)

def not_a_network():
    return 3

def fails():
    return 1 / 0

def no_labels():
    return torch.rand(4, 3, 8, 8)

def flat():
    class Rounding(torch.nn.Module):
        def forward(self, images):
            return (images.mean((2, 3)) * 100).round()

    return Rounding()

def guarded():
    import threading
    network = load()
    network.guard = threading.Lock()  # nothing can copy it
    return network
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "own.py"
    file.write_text(NETWORK)
    return str(file)


@pytest.mark.parametrize("function", ["load", "guarded"])
def test_a_network_of_ones_own(function, own, tmp_path, capsys):
    picture = tmp_path / "noise.png"
    picture.write_bytes(to_png(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))))
    with torch.random.fork_rng():
        assert (
            run("attack", str(picture), "--model", f"{own}:{function}", "--device", "cpu", "--out", str(tmp_path)) == 0
        )
    assert json.loads((tmp_path / "result.json").read_text())["network"] == "own"
    assert " of 64 pixels" in capsys.readouterr().out


def test_a_flat_network_is_told_and_random_search_fools_it(own, tmp_path, capsys):
    picture = tmp_path / "grey.png"
    picture.write_bytes(to_png(torch.full((3, 8, 8), 100 / 255) + torch.tensor([20 / 255, 0, 0])[:, None, None]))
    given = ["attack", str(picture), "--model", f"{own}:flat", "--device", "cpu", "--out", str(tmp_path)]
    assert run(*given) == 3
    told = capsys.readouterr().out
    assert "gives no gradient" in told
    assert "Random search (Sparse-RS), by name random" in told
    assert run(*given, "--attack", "random", "--k", "20", "--queries", "2000") == 0
    assert "gradient" not in capsys.readouterr().out


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_terminal_tells_of_the_random_stage(preset, tmp_path, capsys):
    options = ["--preset", preset, *QUICK, "--no-prune", "--random-queries", "50"]
    assert attack("stop-1", tmp_path, *options) in (0, 3)
    assert re.search(r"Changed pixels: [\d,]+ optimised → [\d,]+ random;", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("missing", "no function"),
        ("not_a_network", "must return a torch module, or a function of pictures; got int"),
        ("fails", "own.py, line 16: ZeroDivisionError"),
    ],
)
def test_mistakes_in_ones_own_network_are_named(function, says, own, tmp_path, capsys):
    code = run("attack", "stop-1", "--model", f"{own}:{function}", "--out", str(tmp_path))
    assert says in refused(code, capsys)


@pytest.mark.parametrize("function", ["no_labels", "not_a_network", "missing", "fails"])
def test_mistakes_in_ones_own_pictures_are_named(function, own, tmp_path, capsys):
    refused(run("bench", "--model", f"{own}:load", "--device", "cpu", "--pictures", f"{own}:{function}"), capsys)


PNG = to_png(from_uint8(to_uint8(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)))))
BAD_FILES = {
    "empty.png": b"",
    "truncated.png": PNG[: len(PNG) // 2],
    "header-only.png": PNG[:40],
    "renamed.png": b"%PDF-1.7 this is no picture",
    "renamed.jpg": b"GIF89a" + bytes(100),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_picture_is_refused_in_one_line_that_names_it(name, tmp_path, capsys):
    (tmp_path / name).write_bytes(BAD_FILES[name])
    assert name in refused(attack(tmp_path / name, tmp_path / "out"), capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["nowhere.png", "nowhere/stop-1", "stop-99"])
def test_a_missing_picture_is_refused_in_one_line(name, tmp_path, capsys):
    assert name in refused(attack(name, tmp_path), capsys)


def test_a_photograph_goes_by_its_name_and_its_class_is_guessed(tmp_path, capsys):
    assert attack("chelsea", tmp_path, *QUICK) in (0, 3)
    told = capsys.readouterr().out
    assert "451 × 300 pixels: its middle was fitted to the 64 × 64" in told
    assert "The true class is not given" in told


@pytest.fixture
def cifar10(tmp_path):
    write_cifar10(tmp_path / "cifar10")
    return tmp_path / "cifar10"


def test_cifar10_goes_by_number_where_it_is(tmp_path, cifar10, capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_CIFAR10", str(tmp_path / "nothing"))
    assert "cifar10-3" in refused(attack("cifar10-3", tmp_path / "out"), capsys)
    monkeypatch.setenv("EXPLORER_CIFAR10", str(cifar10))
    assert attack("cifar10-3", tmp_path / "out", *QUICK) in (0, 3)
    assert "32 × 32 pixels" in capsys.readouterr().out


def test_many_pictures_of_cifar10_come_from_the_folder_that_is_named(tmp_path, cifar10, capsys, monkeypatch):
    monkeypatch.setitem(CLASSIFIERS, "cifar-test", cifar10_card())
    options = (
        "bench",
        "--model",
        "cifar-test",
        "--device",
        "cpu",
        "--pictures",
        "cifar10",
        "--n",
        "12",
        "--repeats",
        "0",
    )
    out = ("--out", str(tmp_path / "bench.csv"))
    assert run(*options, "--attacks", "sparse-10", "--repeats", "0", "--data", str(cifar10), *out) == 0
    assert "12 correctly classified pictures of 32 × 32 pixels from cifar10" in capsys.readouterr().out
    assert "CIFAR-10 is not in" in refused(run(*options, "--data", str(tmp_path / "nothing"), *out), capsys)


BAD_OPTIONS = {
    "--label": ["Stopp", "18", "-1", ""],
    "--target": ["no such sign", "99", "Stop"],
    "--a": ["0", "-1", "nan", "eleven", "11"],
    "--lam": ["-0.1", "inf"],
    "--tau": ["1", "-0.01"],
    "--steps": ["0", "1.5", "10001"],
    "--momentum": ["1"],
    "--max-pixels": ["0"],
    "--seed": ["-1"],
    "--box": ["round"],
    "--method": ["guessing"],
    "--preset": ["none"],
    "--device": ["abacus", "cuda:99"],
    "--model": ["signs-nothing", "nowhere.py:load", str(ROOT / "explorer") + ".py:load"],
    "--no-such-option": ["1"],
}


@pytest.mark.parametrize(("option", "value"), [(name, value) for name, of in BAD_OPTIONS.items() for value in of])
def test_a_bad_option_is_refused_in_one_line(option, value, tmp_path, capsys):
    refused(attack("stop-1", tmp_path / "out", option, value), capsys)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["attack"], ["attack", "stop-1", *MODEL], ["bench"]])
def test_missing_arguments_are_named_in_one_line(arguments, capsys):
    refused(run(*arguments), capsys)


def test_an_output_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    refused(attack("stop-1", tmp_path / "file" / "out"), capsys)


def console(encoding: str, *arguments: object) -> subprocess.CompletedProcess:
    """A command in a process of its own, on a console that has fewer letters than the project uses."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONUTF8", "LC_ALL")}
    command = [sys.executable, "-m", "explorer", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, env=environment | {"PYTHONIOENCODING": encoding})


def test_a_console_that_lacks_a_letter_is_no_bad_input(tmp_path):
    end = console("ascii", "attack", "stop-1", *MODEL, *QUICK, "--out", tmp_path)
    assert end.returncode == 0, end.stderr
    assert b"?" in end.stdout
    end = console("cp1252", "attack", "--help")
    assert (end.returncode, end.stderr) == (0, b"")
    assert "Threshold of the ReLU" in " ".join(end.stdout.decode("cp1252").split())
    end = console("ascii", "attack", "λ\x1b[2J.png", *MODEL, "--out", tmp_path)
    assert end.returncode == 2
    assert len(end.stderr.splitlines()) == 1
    assert b"\x1b" not in end.stderr


def test_bad_input_ends_the_process_with_2_and_no_traceback(tmp_path):
    command = [sys.executable, "-m", "explorer", "attack", str(tmp_path / "none.png"), *MODEL, "--out", str(tmp_path)]
    end = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert end.returncode == 2
    assert end.stdout == ""
    assert len(end.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command, capsys):
    assert run(command, "--help") == 0
    out = capsys.readouterr().out
    assert f"python -m explorer {command}" in out.partition("example")[2]


def test_the_help_of_attack_tells_every_knob(capsys):
    assert run("attack", "--help") == 0
    told = "".join(capsys.readouterr().out.split())
    for knob in knobs(SparseAttack).values():
        assert f"--{knob.name.replace('_', '-')}" in told
        assert "".join(knob.help.split()) in told


def test_the_list_names_every_classifier(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    told = ["accuracy", "robust", "sparse", "parameters", "input", "download", "memory", "here"]
    assert lines[0].split() == ["name", "source", "dataset", "architecture", *told]
    assert [line.split()[0] for line in lines[1:]] == list(CLASSIFIERS)

    assert run("list", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in facts] == list(CLASSIFIERS)
    assert {each["source"] for each in facts} == {"bundled", "torchvision"}
    assert all(each["available"] for each in facts if each["source"] == "bundled")
    assert facts[0]["accuracy"] == CLASSIFIERS[facts[0]["name"]].accuracy


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "signs-nothing"],
        ["train", "signs-resnet", "--device", "abacus"],
        ["train", "signs-resnet", "--epochs", "0"],
        ["evaluate", "signs-resnet", "--device", "abacus"],
        ["evaluate", "signs-resnet", "--n", "0"],
        ["evaluate", "signs-resnet", "--pgd-steps", "-1"],
    ],
)
def test_training_refuses_bad_options_in_one_line(arguments, tmp_path, capsys):
    refused(run(*arguments, *["--out", str(tmp_path)] * (arguments[0] == "train")), capsys)


def test_ones_own_weights_are_attacked_by_their_file(tmp_path, capsys):
    (tmp_path / "mine.safetensors").write_bytes((ASSETS / "signs-cnn.safetensors").read_bytes())
    options = ["--device", "cpu", "--steps", "30", "--no-polish", "--out", str(tmp_path / "out")]
    code = run("attack", "stop-1", "--model", str(tmp_path / "mine.safetensors"), *options)
    assert "need a description" in refused(code, capsys)
    (tmp_path / "mine.json").write_text('{"architecture": "signs-cnn", "classes": "signs"}')
    assert run("attack", "stop-1", "--model", str(tmp_path / "mine.safetensors"), *options) == 0
    assert "own:mine sees this Stop as what it is" in capsys.readouterr().out


def test_weights_that_would_have_to_be_downloaded_are_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    code = run("attack", "stop-1", "--model", "torchvision:alexnet", "--device", "cpu", "--out", str(tmp_path / "out"))
    assert "choose signs-resnet, which needs no download" in refused(code, capsys)
    assert list(tmp_path.iterdir()) == []


EVIDENCE = ["evidence", "--model", "signs-cnn", "--device", "cpu", "--methods", "gradient_x_change"]


def test_evidence_tries_the_methods_and_writes_the_table(tmp_path, capsys):
    assert run(*EVIDENCE, "--n", "2", "--out", str(tmp_path / "checks.csv")) == 0
    out = capsys.readouterr().out
    assert "2 of 2 pictures from renders are fooled" in out
    assert "red if exchanged" in out
    (row,) = csv.DictReader((tmp_path / "checks.csv").read_text().splitlines())
    assert row["method"] == "gradient_x_change"
    assert 0 <= float(row["agreement"]) <= 1
    assert row["completeness error, median"] == "", "nothing must add up there"


def test_evidence_is_compared_with_the_ground_truth(tmp_path, capsys):
    assert run(*EVIDENCE, "--n", "2", "--ground-truth", "--out", str(tmp_path / "truth.csv")) == 0
    out = capsys.readouterr().out
    assert "above chance" in out
    assert "Chance is a random pixel of the sign" in out
    (row,) = csv.DictReader((tmp_path / "truth.csv").read_text().splitlines())
    assert row["signs"] == "2"
    assert 0 < float(row["obscuring_chance_low"]) <= float(row["obscuring_chance"]) < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "tea"], "There is no method 'tea'"),
        (["--methods", "deep_lift"], "deep_lift is not valid for this network; valid are"),
        (["--batch", "0"], "--batch must be at least 1"),
        (["--n", "0"], "--n must be at least 1"),
        (["--n", "0", "--ground-truth"], "--n must be at least 1"),
        (["--seed", "-1", "--ground-truth"], "--seed at least 0"),
        (["--ground-truth", "--pictures", "gallery"], "is known of rendered signs only"),
    ],
)
def test_evidence_refuses_bad_input_in_one_sentence(options, message, tmp_path, capsys):
    code = run(*EVIDENCE, "--n", "1", *options, "--out", str(tmp_path / "x.csv"))
    assert message in refused(code, capsys)


OWN = """
import pickle

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.sin(7 * torch.arange(3 * 3 * 64 * 64.0)).view(3, -1))

    def forward(self, images):
        {body}


def load():
    network = pickle.loads(pickle.dumps(Net()))
    {attributes}
    return network
"""


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("return images.flatten(1) @ self.weight.T", "network.input_size = 64"),
        ("return (images.flatten(1) @ self.weight.T,)", "network.class_names = {0: 'a', 1: 'b', 2: 'c'}"),
        ("images.sub_(0.5); return dict(logits=images.flatten(1) @ self.weight.T)", "pass"),
        ("assert len(images) == 1; return images.flatten(1) @ self.weight.T", "network.input_size = (64, 64)"),
        ("return (images.flatten(1) @ self.weight.T).half()", "network.class_names = ['a', 'b', 'c']"),
    ],
    ids=["one number", "tuple", "dict and in place", "one by one", "half"],
)
def test_own_networks_that_nearly_keep_the_contract_are_attacked(body, attributes, tmp_path, capsys):
    file = tmp_path / f"own_{abs(hash(body))}.py"
    file.write_text(OWN.format(body=body, attributes=attributes))
    command = ["attack", "stop-1", "--model", f"{file}:load", "--steps", "20", "--no-polish", "--device", "cpu"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    bench = ["bench", "--model", f"{file}:load", "--pictures", "gallery", "--n", "4", "--attacks", "sparse-10-bare"]
    assert main([*bench, "--repeats", "0", "--device", "cpu", "--out", str(tmp_path / "bench.csv")]) in (0, 2)


@pytest.mark.parametrize(
    ("body", "attributes", "message"),
    [
        ("return images.flatten(1) @ self.weight.T", "network.input_size = '64'", "input_size must be (height, width)"),
        ("return images.flatten(1) @ self.weight.T", "network.class_names = {1: 'a', 2: 'b'}", "got other keys"),
        ("return images.flatten(1) @ self.weight.T", "network.class_names = 'abc'", "got str"),
        ("return 'cat'", "pass", "must return logits"),
        ("raise RuntimeError('two\\nlines')", "pass", "raised RuntimeError: two"),
        ("return images.flatten(1) @ self.weight.T", "raise SystemExit(3)", "SystemExit: 3"),
        ("return images.detach().flatten(1)[:, :3]", "pass", "must give gradients"),
        ("return {0: images.flatten(1)[:, :3]}[int(images.requires_grad)]", "pass", "raised KeyError: 1"),
        (
            "self.n = getattr(self, 'n', 0) + 1; assert self.n < 20, 'worn out'; return images.flatten(1)[:, :3]",
            "pass",
            "the network raised AssertionError: worn out",
        ),
        ("return images.flatten(1)[:, :3]", "network.to = lambda *_: 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_own_networks_that_cannot_be_attacked_are_one_line(body, attributes, message, tmp_path, capsys):
    file = tmp_path / f"own_{abs(hash((body, attributes)))}.py"
    file.write_text(OWN.format(body=body, attributes=attributes))
    assert main(["attack", "stop-1", "--model", f"{file}:load", "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told
    assert len(told.splitlines()) == 1


def test_a_file_of_code_without_a_function_says_how_it_is_written(capsys, tmp_path):
    assert main(["attack", "stop-1", "--model", "own.py", "--out", str(tmp_path)]) == 2
    assert "own.py:load" in capsys.readouterr().err


def test_no_file_moves_the_cursor_of_a_terminal(tmp_path, capsys, monkeypatch):
    """Names of files and of tensors are other people's, and a terminal obeys what they may hold."""
    escape = "\x1b]0;mine\x07\x1b[2J"
    named = {f"{escape}.{name}": tensor for name, tensor in load_file(ASSETS / "signs-cnn.safetensors").items()}
    files = [tmp_path / f"{name}.safetensors" for name in ("mine", escape)]
    for file in files:
        save_file(named, file)
        file.with_suffix(".json").write_text('{"architecture": "signs-cnn", "classes": "signs"}')
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    assert run("list") == 0
    command = ["--device", "cpu", "--steps", "2", "--no-prune", "--no-polish", "--out", str(tmp_path / "out")]
    codes = [main(["attack", "stop-1", "--model", str(file), *command]) for file in files]
    assert codes in ([0, 2], [3, 2])
    told = capsys.readouterr()
    assert "was left out before all" in told.err
    assert "has letters in its name that cannot be shown" in told.err
    assert not {"\x1b", "\x07"} & {*told.out, *told.err}
