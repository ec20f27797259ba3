"""Studies on a Dask cluster of two worker processes: the same table, whatever happens to a worker."""

import dataclasses
import importlib.util
import json
import shutil
import sys

import pandas as pd
import pytest
import torch
from dask_cluster import DaskCluster

from explorer.__main__ import main
from explorer.attacks import SparseAttack
from explorer.classifiers import Classifier, find_card, fold_batch_norm, load_classifier
from explorer.classifiers.bundled import read_manifest
from explorer.classifiers.python import load_python
from explorer.defences import DEFENCES
from explorer.folders import ASSETS
from explorer.hashes import network_sha256
from explorer.samples import gallery
from explorer.studies import Ledger, Study, Subject, Terms, grid
from explorer.studies.cluster import Cluster, _loaded, _sent
from explorer.types import Sample

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask.distributed is not installed"),
    pytest.mark.filterwarnings("default"),  # what Dask warns of is its own affair
]
COSTS = ["seconds", "memory_mb"]
BARE = SparseAttack(steps=3, prune=False, polish=False)
OWN = """
import torch

def load():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 4))
    with torch.no_grad():
        weights = torch.rand(4, 193, generator=torch.Generator().manual_seed(0)) - 0.5
        network[1].weight.copy_(weights[:, 1:])
        network[1].bias.copy_(weights[:, 0])
    return network
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with DaskCluster(2, tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def own(tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "own_network.py"
    file.write_text(OWN)
    return f"{file}:load"


def subject(name: str, n: int = 4) -> Subject:
    network = load_python(name)
    images = torch.randint(0, 256, (n, 3, 8, 8), generator=torch.Generator().manual_seed(1)) / 255
    return Subject(name, network, images, network(images).argmax(1))


def table(study: Study) -> list[dict]:
    while study.advance():
        pass
    assert study.left == 0
    return [{name: value for name, value in row.items() if name not in COSTS} for row in study.rows()]


def test_a_killed_worker_loses_nothing_and_the_table_is_that_of_one_process(own, tmp_path):
    settings = grid(BARE, {"lam": [0.1 * n for n in range(1, 101)]})
    local = table(Study([subject(own)], settings, batch=1))
    file = tmp_path / "kept.jsonl"
    with DaskCluster(2, tmp_path) as dask, Cluster(dask.address) as engine:
        study = Study([subject(own)], settings, Ledger(file), batch=1, engine=engine)
        assert study.total == 400
        while study.done < 200:
            assert study.advance()
        dask.workers[0].kill()
        assert table(study) == local
    keys = [json.loads(line)["key"] for line in file.read_text().splitlines()]
    assert len(keys) == len({*keys}) == 400


def test_defences_terms_and_bundled_networks_go_along(cluster):
    clf, samples = load_classifier("signs-cnn", device="cpu"), gallery()[:2]
    subjects = [signs(clf, samples), dataclasses.replace(signs(clf, samples), defence=DEFENCES["median"]())]
    terms, settings = Terms(png=True, kept_pixels=10**6), [dataclasses.replace(BARE, steps=3, a=a) for a in (0.1, 0.2)]
    local = table(Study(subjects, settings, terms=terms))
    with Cluster(cluster.address, "cpu") as engine:
        assert table(Study(subjects, settings, terms=terms, engine=engine)) == local


def signs(clf, samples: list[Sample]) -> Subject:
    labels = torch.tensor([sample.label for sample in samples])
    return Subject("signs-cnn", clf, torch.stack([sample.image for sample in samples]), labels)


def test_ones_own_weights_travel_as_safetensors(cluster, tmp_path):
    entry = read_manifest()["signs-cnn"]
    shutil.copy(ASSETS / entry.file, tmp_path / "mine.safetensors")
    (tmp_path / "mine.json").write_text(json.dumps({"architecture": "signs-cnn", "classes": "signs"}))
    name = str(tmp_path / "mine.safetensors")
    clf = load_classifier(name, device="cpu")
    mine = dataclasses.replace(signs(clf, gallery()[:2]), name=name)
    local = table(Study([mine], [BARE], batch=1))
    with Cluster(cluster.address) as engine:
        study = Study([mine], [BARE], batch=1, engine=engine)
        assert study.advance()
        (tmp_path / "mine.safetensors").unlink()
        (tmp_path / "mine.json").unlink()
        assert table(study) == local, "they have what was sent, whatever becomes of the file"


@pytest.mark.parametrize("name", ["squeezenet1_0", "mobilenet_v2"])
def test_weights_of_torchvision_come_back_as_they_were(name):
    """As where a worker has not downloaded them."""
    card = find_card(name)
    network = card.build().to_empty(device="cpu").eval()
    for number, tensor in enumerate(network.state_dict().values()):
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(number)) * 0.1)
    known = {"class_names": [], "input_size": card.input_size, "dataset": card.dataset}
    clf = Classifier(fold_batch_norm(network), name=name, mean=[0.4] * 3, std=[0.2] * 3, **known)
    found = _loaded(_sent(name, clf, network_sha256(clf)), "cpu")
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found(image), clf(image))
    assert not any(weight.requires_grad for weight in found.parameters())
    with pytest.raises(ValueError, match="another network"):
        _loaded(_sent(name, clf, "0" * 64), "cpu")


def test_a_worker_without_the_file_or_with_another_one_is_a_sentence(cluster, own, tmp_path, monkeypatch):
    here = subject(own)
    file = tmp_path / "own_network.py"
    with Cluster(cluster.address) as engine:
        file.unlink()
        with pytest.raises(ValueError, match=r"The worker tcp://\S+ cannot have \S+own_network.py:load: There is no"):
            Study([here], [BARE], engine=engine).advance()
    with Cluster(cluster.address) as engine:
        file.write_text(OWN + "# changed")
        with pytest.raises(ValueError, match=r"cannot have \S+: what it has by this name is another network\."):
            Study([here], [BARE], engine=engine).advance()
        file.write_text(OWN)
    with Cluster(cluster.address) as engine:
        monkeypatch.setattr("explorer.studies.cluster.version", lambda: "0123456789ab, torch 1.0")
        with pytest.raises(ValueError, match=r"The worker tcp://\S+ has another version of this program"):
            Study([here], [BARE], engine=engine).advance()


def test_a_lost_scheduler_is_a_sentence_and_what_was_done_is_kept(own, tmp_path):
    file = tmp_path / "kept.jsonl"
    settings = grid(BARE, {"lam": [0.5, 1.0, 2.0]})
    with DaskCluster(1, tmp_path) as dask, Cluster(dask.address) as engine:
        study = Study([subject(own)], settings, Ledger(file), batch=1, engine=engine)
        assert study.advance()
        dask.scheduler.kill()
        with pytest.raises(ValueError, match=r"^dask://\S+ answers no more; what was done is kept, and the rest waits"):
            table(study)
    again = Study([subject(own)], settings, Ledger(file), batch=1)
    assert again.done == study.done > 0
    assert table(again) == table(Study([subject(own)], settings, batch=1))


def test_stop_and_go_on(cluster, own):
    settings = grid(BARE, {"lam": [0.5, 1.0, 2.0]})
    local = table(Study([subject(own)], settings, batch=2))
    with Cluster(cluster.address) as engine:
        study = Study([subject(own)], settings, batch=2, engine=engine)
        assert study.advance()
        done = study.done
        assert not study.advance(lambda step: True)
        assert study.done == done
        assert table(study) == local


def test_the_command_does_the_same_with_it(cluster, own, tmp_path, capsys):
    file = tmp_path / "pictures_of_my_own.py"
    file.write_text(
        "import torch\nfrom own_network import load\n\ndef pictures():\n"
        "    images = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))\n"
        "    return images, load()(images).argmax(1)\n"
    )
    tables = []
    for engine in ("local", cluster.address):
        out = tmp_path / engine[:4] / "rows.csv"
        given = ["--model", own, "--device", "cpu", "--pictures", f"{file}:pictures", "--n", "3", "--lam", "0.5,1"]
        bare = ["--steps", "4", "--no-prune", "--no-polish", "--engine", engine, "--out", str(out)]
        with torch.random.fork_rng():
            assert main(["sweep", *given, *bare]) == 0
        tables.append(pd.read_csv(out).drop(columns=COSTS))
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        ("dask://127.0.0.1:1", "No Dask scheduler answers at dask://127.0.0.1:1: `dask scheduler` starts one."),
        ("dask://somewhere", "An engine is local or dask://HOST:PORT"),
        ("ray://somewhere:1", "An engine is local or dask://HOST:PORT"),
    ],
)
def test_an_engine_that_cannot_be_had_is_one_sentence(engine, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("explorer.studies.cluster.CONNECT", 0.5)
    out = str(tmp_path / "rows.csv")
    assert main(["sweep", "--model", "signs-cnn", "--device", "cpu", "--engine", engine, "--out", out]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_without_dask_it_is_one_sentence(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "distributed" else found(name))
    with pytest.raises(ValueError, match=r"not installed: pip install -r requirements-dask\.txt"):
        Cluster("dask://localhost:8786")
