"""Attacks of other libraries in the benchmark: a stand-in for a library, and what is said where there is none."""

import importlib.util
import sys
import types

import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.commands.peers import LIBRARIES, Peer, is_peer


class Blacken:
    """As torchattacks writes an attack."""

    def __init__(self, model, rows=1):
        self.model, self.rows = model, rows

    def __call__(self, images, labels):
        images[:, :, : self.rows] = 0
        return images


def whiten(model, inputs, labels, targeted, rows=1):
    """As adversarial-library writes one."""
    assert targeted is False
    return inputs.index_fill(2, torch.arange(rows), 1.0)


@pytest.fixture
def _installed(monkeypatch):
    found = types.SimpleNamespace(Blacken=Blacken, whiten=whiten, number=3)
    spec, module = importlib.util.find_spec, importlib.import_module
    ours = {"visdom", *LIBRARIES, *(module for module, _ in LIBRARIES.values())}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: name in ours or spec(name, *rest))
    monkeypatch.setattr(importlib, "import_module", lambda name, *rest: found if name in ours else module(name, *rest))


@pytest.fixture
def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 2)).requires_grad_(False)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(("name", "value"), [("torchattacks:Blacken:rows=2", 0), ("adv_lib:whiten:rows=2", 1)])
def test_a_peer_is_called_as_our_attacks_are(name, value, network):
    images = torch.full((2, 3, 4, 4), 0.4)
    labels = network(images).argmax(1)
    result = Peer(name)(network, images, labels)
    assert (images == 0.4).all(), "it may write into its own copy"
    assert (result.adversarial[:, :, :2] == value).all()
    assert result.n_pixels.tolist() == [8, 8]
    assert torch.equal(result.succeeded, network(result.adversarial).argmax(1) != labels)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torchattacks:Nothing", "torchattacks has no attack 'Nothing'"),
        ("torchattacks:number", "has no attack 'number'"),
        ("adv_lib:__name__", "adv-lib has no attack '__name__'"),
        ("adv_lib:whiten:rows", "'rows' in 'adv_lib:whiten:rows' is no setting: name=value"),
        ("adv_lib:whiten:=2", "is no setting"),
    ],
)
def test_a_name_that_means_nothing_is_one_sentence(name, message):
    with pytest.raises(ValueError, match=message):
        Peer(name)


@pytest.mark.usefixtures("_installed")
def test_what_the_library_raises_is_one_sentence(network):
    with pytest.raises(ValueError, match=r"^adv_lib:whiten:speed=9 failed: TypeError: .*speed"):
        Peer("adv_lib:whiten:speed=9")(network, torch.zeros(1, 3, 4, 4), torch.tensor([0]))


def test_a_library_that_is_not_installed_is_one_sentence(monkeypatch, capsys):
    spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in LIBRARIES else spec(name, *rest)
    )
    for name, (_, package) in LIBRARIES.items():
        assert main(["bench", "--model", "signs-resnet", "--device", "cpu", "--attacks", f"{name}:vfga"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert f"needs {package}, which is not installed: pip install --no-deps -r requirements-peers.txt" in err
        assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("_installed")
def test_bench_compares_it_with_ours(tmp_path, capsys):
    out = ["--n", "2", "--device", "cpu", "--repeats", "1", "--out", str(tmp_path / "bench.csv")]
    attacks = "adv_lib:whiten:rows=9,sparse-3-bare"
    assert main(["bench", "--model", "signs-resnet", "--attacks", attacks, *out]) == 0
    told = capsys.readouterr().out
    assert "adv_lib:whiten:rows=9" in told
    assert "sparse-3-bare: own steps" in told, "the overhead is of ours"
    assert "adv_lib:whiten:rows=9" in (tmp_path / "bench.csv").read_text()


@pytest.mark.usefixtures("_installed")
def test_two_peers_of_a_library_whose_plots_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "visdom", None)
    del sys.modules["visdom"]
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "visdom" else found(name, *rest)
    )
    assert [Peer("adv_lib:whiten").name, Peer("adv_lib:whiten:rows=2").name] == [
        "adv_lib:whiten",
        "adv_lib:whiten:rows=2",
    ]
    assert sys.modules["visdom"].Visdom is None
    monkeypatch.setattr(importlib.util, "find_spec", found)


def test_only_libraries_are_peers():
    assert [name for name in ("adv_lib:vfga", "sparse", "sparse:a=1", "torch:SparseFool") if is_peer(name)] == [
        "adv_lib:vfga"
    ]
