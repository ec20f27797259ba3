"""Networks that show less than others: without gradients, of one picture at a time, scripted, exported."""

import json
from pathlib import Path

import pytest
import torch
from own_networks import python_file
from test_cli import refused, run
from torch import nn

from explorer import SparseAttack
from explorer.classifiers import load_python
from explorer.classifiers.python import as_classifier
from explorer.evidence import METHODS, explain_pixels, methods_for, usual_method
from explorer.images import from_uint8, to_png

NETWORKS = """
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 9, 5))
        self.input_size = 8

    def forward(self, x):
        return self.layers(x) * 20


class NoGradient(Network):
    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


class LeavesTorch(Network):
    def forward(self, x):
        return super().forward(torch.from_numpy(x.numpy().copy()))


class Rounds(Network):
    def forward(self, x):
        return super().forward((x * 255).round() / 255)


class Alone(Network):
    def forward(self, x):
        assert len(x) == 1
        return super().forward(x)


def scripted():
    return torch.jit.script(Network().layers)


def exported():
    dims = ({0: torch.export.Dim("batch", min=1, max=4096)},)
    return torch.export.export(Network().layers.eval(), (torch.rand(2, 3, 8, 8),), dynamic_shapes=dims).module()


def double():
    images = torch.rand(4, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return images, Network()(images.float()).argmax(1)
"""


@pytest.fixture
def mine(tmp_path) -> str:
    return python_file(tmp_path, NETWORKS)


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "picture.png"
    levels = torch.randint(256, (8, 8, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    path.write_bytes(to_png(from_uint8(levels.numpy())))
    return str(path)


def attack(mine: str, network: str, picture: str, out: Path, *options: str) -> int:
    return run("attack", picture, "--model", f"{mine}:{network}", "--device", "cpu", "--out", str(out), *options)


def test_what_random_search_finds_without_gradients_is_labelled_without_them(mine, picture, tmp_path):
    assert attack(mine, "NoGradient", picture, tmp_path / "out", "--attack", "random", "--queries", "300") in (0, 3)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["evidence"]["method"] == "shapley"
    assert result["n_pixels"] == len(result["evidence"]["pixels"]) > 0


def test_a_gradient_of_zeros_says_nothing_about_pixels(mine, picture, tmp_path):
    assert attack(mine, "Rounds", picture, tmp_path / "out", "--attack", "random", "--queries", "300") in (0, 3)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["evidence"]["method"] == "shapley"
    assert any(pixel["obscuring"] for pixel in result["evidence"]["pixels"])


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency", "deep_lift", "grad_cam", "guided_grad_cam"])
def test_a_method_that_needs_gradients_is_refused_before_any_work(method, mine, picture, tmp_path, capsys):
    out = tmp_path / "out"
    code = attack(mine, "NoGradient", picture, out, "--attack", "random", "--method", method)
    assert "it needs gradients, which this network does not let through" in refused(code, capsys)
    assert not out.exists()


def test_on_a_folder_as_well_and_its_table_stays(mine, picture, tmp_path, capsys):
    folder, out = Path(picture).parent, tmp_path / "out"
    options = ["--attack", "random", "--queries", "100"]
    assert attack(mine, "NoGradient", str(folder), out, *options) in (0, 3)
    before = (out / "results.csv").read_bytes()
    capsys.readouterr()
    refused(attack(mine, "NoGradient", str(folder), out, *options, "--method", "saliency"), capsys)
    assert (out / "results.csv").read_bytes() == before


@pytest.mark.parametrize("network", ["NoGradient", "LeavesTorch"])
def test_in_python_it_is_one_sentence(network, mine):
    clf = as_classifier(load_python(f"{mine}:{network}"), "mine", (8, 8))
    image = torch.full((3, 8, 8), 0.5)
    changed = image.clone()
    changed[:, 2, 3] = 1
    assert usual_method(clf, image) == "shapley"
    assert {name for name, problem in methods_for(clf, image).items() if problem is None} == {"shapley", "occlusion"}
    for name in METHODS:
        if name in ("shapley", "occlusion"):
            assert len(explain_pixels(clf, image, changed, 0, name).pixels) == 1
        else:
            with pytest.raises(ValueError, match="is not valid for this network"):
                explain_pixels(clf, image, changed, 0, name)


def test_grad_cam_needs_both_pictures_in_one_pass(mine, picture, tmp_path, capsys):
    code = attack(mine, "Alone", picture, tmp_path / "out", "--method", "grad_cam")
    assert "this network takes one at a time" in refused(code, capsys)
    assert attack(mine, "Alone", picture, tmp_path / "out") in (0, 3)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("network", ["scripted", "exported"])
def test_scripted_and_exported_networks_load(network, mine, picture, tmp_path):
    assert attack(mine, network, picture, tmp_path / "out", "--steps", "20") in (0, 3)


def test_pictures_in_double_precision_are_taken(mine, tmp_path):
    given = ["--model", f"{mine}:Network", "--device", "cpu", "--pictures", f"{mine}:double", "--n", "2"]
    assert run("bench", *given, "--attacks", "sparse-5-bare", "--repeats", "0", "--out", str(tmp_path / "b.csv")) == 0
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    labels = network(images.float()).argmax(1)
    for kind in (torch.float32, torch.float64):  # of the network
        network.to(kind)
        assert SparseAttack(steps=5)(network, images, labels).adversarial.dtype == kind
        assert explain_pixels(network, images[0], 1 - images[0], torch.tensor(0)).pixels
        assert usual_method(network, images[0]) == "integrated_gradients"
