"""One class and one entry in DATA_SETS: pages, commands and training know the data set, without a word about it."""

import json
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from app_page import button, forget_classifiers, problems, story
from streamlit.testing.v1 import AppTest

import explorer
from explorer.__main__ import main
from explorer.classifiers import CLASSIFIERS, load_classifier
from explorer.classifiers.bundled import load_bundled, read_manifest
from explorer.grid import same_picture
from explorer.pipeline import first_look
from explorer.samples import DATA_SETS, DataSet, Split, data_set_of, find_sample, sources
from explorer.training import RECIPES, Recipe, evaluate, train
from explorer.types import Image
from explorer.ui import long_runs, run_files

TINY = Recipe(
    "resnet", {"stem": 4, "stem_stride": 2, "widths": [8], "blocks": [1], "strides": [2]},
    epochs=3, dataset="stripes", batch=10, label_smoothing=0.0, learning_rate=0.02,
)  # fmt: skip


class Stripes(DataSet):
    """Bright stripes on noise, across or upright."""

    name = "stripes"
    title = label = "Stripes"
    input_size = (16, 16)
    mean = (0.5, 0.5, 0.5)
    std = (0.25, 0.25, 0.25)
    classes = ("Across", "Upright")
    whole = "the stripes"

    def split(self, folder: Path | None = None, *, train: bool = False) -> Split:
        def read(number: int) -> Image:
            noise = np.random.default_rng([number, train]).integers(0, 90, (3, 16, 16)).astype(np.uint8)
            noise[:, ::4] += 160
            image = torch.from_numpy(noise).float() / 255
            return image.mT.contiguous() if number % 2 else image

        return Split(self, np.arange(80 if train else 40) % 2, read)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a network for stripes, trained on them by a recipe."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(DATA_SETS, "stripes", Stripes())
        patched.setitem(RECIPES, "stripes-tiny", TINY)
        out = tmp_path_factory.mktemp("stripes")
        measured = train("stripes-tiny", device="cpu", out=out)
        assert measured.accuracy > 0.9
        assert measured.n == 40
        assert evaluate("stripes-tiny", "cpu", None, 0, out).accuracy == measured.accuracy
    return out


@pytest.fixture(autouse=True)
def _registered(monkeypatch, tmp_path, trained):
    """The entry, and a network for it; and no earlier run answers the pages' questions."""
    card = replace(
        CLASSIFIERS["signs-cnn"],
        name="stripes-tiny",
        title="Stripes: tiny",
        dataset="stripes",
        input_size=(16, 16),
        load=partial(load_bundled, "stripes-tiny", trained),
        build=read_manifest(trained)["stripes-tiny"].build,
    )
    monkeypatch.setitem(DATA_SETS, "stripes", Stripes())
    monkeypatch.setitem(CLASSIFIERS, "stripes-tiny", card)
    monkeypatch.setattr(run_files, "ROOT", tmp_path / "runs")
    run_files.folder.clear()
    long_runs.long_runs.clear()
    yield
    run_files.folder.clear()
    forget_classifiers()


def open_at(page: str | None = None, **link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return (app.switch_page(page) if page else app).run()


def test_training_writes_what_it_was_trained_on(trained):
    entry = read_manifest(trained)["stripes-tiny"]
    assert (entry.dataset, entry.classes, entry.input_size) == ("stripes", ["Across", "Upright"], [16, 16])
    assert entry.source == "trained in this project on Stripes"
    assert evaluate("stripes-tiny", "cpu", 20, 2, trained).eps == Stripes.eps


def test_its_classes_and_pictures_are_known(trained):
    assert data_set_of(["across", "UPRIGHT"]) == "stripes"
    sample = find_sample("stripes-7")
    assert (sample.dataset, sample.label, sample.caption) == (
        "stripes", 1, "Upright, picture 7 of the stripes"
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"There is no picture 'stripes-40'.* stripes-0, stripes-1, …"):
        find_sample("stripes-40")
    look = first_look(load_classifier("stripes-tiny", device="cpu"))
    assert (look.n, look.better) == (10, None)
    assert "pictures of Stripes as it is" in look.told


def test_explore_offers_its_networks_and_pictures():
    app = open_at(network="stripes-tiny", steps="20", polish="false")
    assert problems(app) == []
    assert app.selectbox(key="world").value == "stripes"
    assert app.session_state["source"] == "Stripes"
    assert "of 256 pixels" in story(app)
    assert "The sign" not in app.selectbox(key="where").options
    app.selectbox(key="stripes_class").set_value("Upright").run()
    del app.query_params["picture"]
    app.run()
    assert problems(app) == []
    shown = app.session_state["session"].shown
    assert shown.class_names[shown.label] == "Upright"


def test_weights_of_ones_own_may_be_normalised_as_for_it():
    app = open_at(network="upload")
    assert not app.exception
    norm = app.segmented_control(key="own_norm")
    assert Stripes.label in norm.options
    assert norm.value == "ImageNet"


def test_explore_opens_its_picture_by_a_link():
    app = open_at(network="stripes-tiny", picture="stripes-7", steps="20", polish="false")
    assert problems(app) == []
    assert not [each.value for each in app.warning if "The link asks" in each.value]
    assert app.query_params["picture"] in ("stripes-7", ["stripes-7"])
    assert same_picture(app.session_state["session"].shown.image, find_sample("stripes-7").image)


def test_the_data_set_page_studies_it(monkeypatch):
    app = open_at("explorer/views/dataset.py", pictures="Stripes", dataset_n="3")
    assert not app.exception
    assert not app.error
    assert app.multiselect(key="dataset_networks_stripes").options == ["Stripes: tiny"]
    button(app, "Attack 3 pictures").click().run()
    until = time.monotonic() + 60
    while "Stop" in {each.label for each in app.button} and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    assert not app.exception
    (run,) = long_runs.long_runs()._kept.values()
    assert {row["true_class"] for row in run.of.study.rows()} <= {"Across", "Upright"}
    assert run.of.choice.pictures_title == "the stripes"


@pytest.mark.parametrize("page", ["tune", "compare"])
def test_pages_that_need_labelled_pictures_offer_its_networks(page):
    app = open_at(f"explorer/views/{page}.py")
    assert not app.exception
    key = {"tune": "networks", "compare": "transfer_networks"}[page]
    assert "Stripes: tiny" in app.multiselect(key=key).options


def test_commands_take_it_by_its_name(tmp_path, capsys):
    model = ["--model", "stripes-tiny", "--device", "cpu"]
    few = ["--n", "3", "--steps", "10", "--no-polish"]
    out = tmp_path / "study"
    assert main(["dataset", *model, "--pictures", "stripes", *few, "--out", str(out)]) == 0
    assert {*pd.read_csv(out / "table.csv")["true_class"]} <= {"Across", "Upright"}
    options = ["--pictures", "stripes", "--n", "2", "--repeats", "1", "--attacks", "greedy"]
    assert main(["bench", *model, *options, "--out", str(tmp_path / "bench.csv")]) == 0
    assert pd.read_csv(tmp_path / "bench.csv")["attack"][0] == "greedy"
    assert main(["attack", "stripes-3", *model, "--steps", "10", "--out", str(tmp_path / "attack")]) in (0, 3)
    assert json.loads((tmp_path / "attack" / "result.json").read_text())["network"] == "stripes-tiny"
    capsys.readouterr()
    assert main(["list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("stripes-tiny")]
    assert line.split()[2] == "stripes"
    with pytest.raises(SystemExit):
        main(["dataset", "--help"])
    assert "stripes: the stripes" in " ".join(capsys.readouterr().out.split())


def test_another_data_sets_network_is_refused_in_a_sentence(tmp_path, capsys):
    out = ["--n", "2", "--out", str(tmp_path / "out")]
    for command, says in (
        ("dataset", "signs-cnn knows rendered road signs, and the true class of stripes-"),
        ("bench", "There are 2 classes of Stripes, but 18 of the network"),
    ):
        assert main([command, "--model", "signs-cnn", "--device", "cpu", "--pictures", "stripes", *out]) == 2
        assert says in capsys.readouterr().err


def test_its_name_stands_for_no_other_one():
    assert len({*sources()}) == sum(len(each.sources) for each in DATA_SETS.values())
    assert all(each.name == name for name, each in DATA_SETS.items())


NAMES = re.compile(r"""["'](signs|cifar10|imagenet)["']""")
ENTRIES = ("samples/renders.py", "samples/cifar10.py", "samples/imagenet.py")
OTHER_THINGS = {  # that happen to have the same name, mostly in files and links, where they must keep it
    "ui/grid.py": "the number of pictures, in the link",
    "ui/known_signs.py": "what came with the project for the Ground truth page, and the package explorer.signs",
    "ui/lesson/desk.py": "what a lock hides: the choice of a sign",
    "rooms/lock.py": "what a lock hides: the choice of a sign",
    "views/ground_truth.py": "a column of the command's table",
    "commands/evidence.py": "a column of its table",
}


def test_only_its_entry_spells_the_name_of_a_data_set():
    home = Path(explorer.__file__).parent
    found = {
        str(file.relative_to(home).as_posix())
        for file in home.rglob("*.py")
        if NAMES.search(file.read_text(encoding="utf-8"))
    }
    assert found == {*ENTRIES, *OTHER_THINGS}
    for name, each in DATA_SETS.items():
        if name != "stripes":
            spelt = [file for file in ENTRIES if f'"{name}"' in (home / file).read_text(encoding="utf-8")]
            assert len(spelt) == 1, each.title
