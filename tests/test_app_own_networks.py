"""Networks that other people have, on the pages: uploaded in their own layouts, or named in Python by the server."""

import json
import math
import re
import sys
import time

import pytest
import torch
from app_page import button, forget_classifiers, open_page, problems, shown, story, write_cifar10
from own_networks import python_file, resnet20
from safetensors.torch import load_file, save
from streamlit.testing.v1 import AppTest
from torchvision import models

from explorer.classifiers import load_classifier, registered_cards
from explorer.classifiers.bundled import ASSETS
from explorer.classifiers.registered import VARIABLE, _cards
from explorer.samples import cifar10
from explorer.ui import run_files, runs
from explorer.ui.caches import answers
from explorer.ui.long_runs import long_runs
from explorer.ui.own_network import FORM

SIGNS = load_file(ASSETS / "signs-cnn.safetensors")
MARKUP = ["<b>no</b>", "[link](https://example.invalid)", "**bold**", "$x$", ":red[x]", "a"]


@pytest.fixture(autouse=True)
def _at_home(monkeypatch, tmp_path):
    """Runs start by themselves; what other tests kept, and what lies on this computer, is not found."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path / "cifar10"))
    monkeypatch.setattr(run_files, "ROOT", tmp_path / "runs")
    monkeypatch.setattr(sys, "path", [*sys.path])
    run_files.folder.clear()
    long_runs.clear()
    yield
    run_files.folder.clear()
    _cards.cache_clear()
    forget_classifiers()


def upload(content: bytes, architecture: str, known: str, **said) -> AppTest:
    app = open_page(network="upload")
    assert app.expander[0].label == "Your own weights"
    app.file_uploader(key="own_file").set_value(("theirs.safetensors", content, "application/octet-stream"))
    app.selectbox(key="own_architecture").set_value(architecture)
    app.selectbox(key="own_known").set_value(known).run()
    for key, value in said.items():
        kind = {"own_classes": app.text_area, "own_side": app.number_input, "own_norm": app.segmented_control}[key]
        kind(key=key).set_value(value)
    return button(app, "Use these weights").click().run()


def told(app: AppTest) -> str:
    return " ".join(shown(each.value) for each in (*app.caption, *app.warning, *app.info))


def mapping(app: AppTest) -> dict[str, str]:
    """Our names by theirs, as the table says."""
    (table,) = [each.value for each in app.dataframe if "in the file" in each.value]
    return dict(zip(table["in the file"], table["here"], strict=True))


def test_a_resnet20_for_cifar10_in_the_common_layout():
    app = upload(save(resnet20().state_dict()), "cifar-resnet20", "cifar10", own_norm="CIFAR-10")
    assert problems(app) == []
    assert re.search(r"(→|not fooled).*of 1,024 pixels|of 1,024 pixels", story(app))
    assert "In use: theirs.safetensors as your-cifar-resnet20-" in told(app)
    assert "10 classes of CIFAR-10, 32 × 32 pixels" in told(app)
    assert "no labelled pictures of CIFAR-10 are on the computer" in told(app)
    names = mapping(app)
    assert names["layer3.2.bn2.weight"] == "stages.8.body.4.weight"
    assert names["linear.bias"] == "head.bias"
    assert "What was mapped" in {each.label for each in app.expander}
    assert app.session_state[FORM] is False, "what asked for the weights closes once they are there"


def test_names_behind_module_are_the_same_weights():
    app = upload(
        save({f"module.{name}": tensor for name, tensor in SIGNS.items()}), "signs-cnn", "signs", own_norm="custom"
    )
    assert problems(app) == []
    assert '"module." was left out before all' in told(app)
    assert mapping(app)["module.head.weight"] == "head.weight"
    assert "of 10 pictures of rendered road signs" in told(app)
    assert story(app).startswith("Stop, ")


def test_an_architecture_of_torchvision_with_classes_of_ones_own():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = models.squeezenet1_1(num_classes=len(MARKUP))
    said = {"own_classes": "\n".join(MARKUP), "own_side": 64}
    app = upload(save(network.state_dict()), "squeezenet1_1", "a list", **said)
    assert problems(app) == []
    assert "6 classes, 64 × 64 pixels" in told(app)
    assert "no labelled pictures of its own classes" in told(app)
    assert any(name in story(app) for name in MARKUP), "names are shown as they are"
    assert all(re.search(r"\\[<\[*$:]", each.value) for each in app.header if any(c in each.value for c in "<[*$"))


def test_a_missing_normalisation_is_told_and_mended_by_one_click():
    app = upload(save(SIGNS), "signs-cnn", "signs", own_norm="none")
    assert problems(app) == []
    assert "normalisation looks missing" in told(app)
    before = app.session_state.session.own
    button(app, "Use the better normalisation").click().run()
    assert problems(app) == []
    after = app.session_state.session.own
    assert "normalisation looks missing" not in told(app)
    assert "so its normalisation looks right" in told(app).lower()
    assert "Use the better normalisation" not in {each.label for each in app.button}
    assert torch.equal(after.mean, load_classifier("signs-cnn", device="cpu").mean)
    assert torch.equal(before.mean, torch.zeros(1, 3, 1, 1)), "the network before is as it was"
    assert after.name == f"{before.name}-renormalised"
    assert story(app).startswith("Stop, ")


def test_the_line_of_json_is_told_for_weights_in_the_servers_folder(monkeypatch, tmp_path):
    (tmp_path / "bare.safetensors").write_bytes(save(SIGNS))
    said = {"architecture": "signs-cnn", "classes": "signs", "mean": [0, 0, 0], "std": [1, 1, 1]}
    (tmp_path / "bare.json").write_text(json.dumps(said))
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    app = open_page(network="own:bare")
    assert problems(app) == []
    assert "normalisation looks missing" in told(app)
    assert "Use the better normalisation" not in {each.label for each in app.button}
    (line,) = re.findall(r'`("mean": .*)`', told(app))
    (tmp_path / "bare.json").write_text(json.dumps(said | json.loads(f"{{{line}}}")))
    again = open_page(network="own:bare")
    assert problems(again) == []
    assert "normalisation looks missing" not in told(again)


@pytest.fixture
def named(monkeypatch, tmp_path):
    """The server was started with two networks of signs."""
    file = python_file(tmp_path, name="theirs")
    monkeypatch.setenv(VARIABLE, json.dumps([f"{file}:load", f"{file}:bare"]))
    return [card.name for card in registered_cards()]


def test_python_is_attacked_on_explore_and_its_classes_are_those_of_the_signs(named):
    app = open_page(network=named[0])
    assert problems(app) == []
    assert app.selectbox(key="world").value == "own"
    assert app.selectbox(key="network_choice").options[:2] == [
        card.title.removeprefix("Yours: ") for card in registered_cards()
    ]
    assert story(app).startswith("STOP, ")
    assert app.segmented_control(key="source").value == "Road signs"
    assert "true_class" not in {each.key for each in app.selectbox}, "the signs bring their classes"
    assert "It recognises 10 of 10 pictures of rendered road signs" in told(app)
    assert answers()._kept.popitem()[0].owner == "", "it is no visitor's own"
    assert "Python (PY)" not in {each.label for each in app.get("download_button")}
    forgetful = open_page(network=named[1])
    assert "normalisation looks missing" in told(forgetful)
    assert "begin with `torchvision.transforms.Normalize([0.393, 0.383, 0.39], [0.193, 0.183, 0.21])`" in told(
        forgetful
    )
    assert "Use the better normalisation" not in {each.label for each in forgetful.button}


def test_a_link_to_a_network_that_is_not_here_any_more_says_so(named):
    app = open_page(network="py:theirs.load-000000000000")
    assert problems(app) == []
    assert "The link asks for py:theirs.load-000000000000 as network, which is not offered here" in told(app)


def test_what_is_wrong_with_the_servers_networks_is_said_and_the_page_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, json.dumps([python_file(tmp_path, name="theirs") + ":*none*"]))
    app = open_page()
    (error,) = problems(app)
    assert "has no function *none*" in error
    assert story(app).startswith("Stop, ")


def other_page(page: str, **link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.switch_page(f"explorer/views/{page}.py").run()


def finish(app: AppTest) -> AppTest:
    until = time.monotonic() + 120
    while "Stop" in {each.label for each in app.button} and time.monotonic() < until:
        app.run()
    return app


def test_python_is_tuned(named):
    title = registered_cards()[0].title
    quick = {"base_steps": "10", "signs": "2", "values_a": "0.05, 0.1", "values_lam": "1"}
    app = other_page("tune", networks=title, **quick)
    assert not app.exception
    assert app.multiselect(key="networks").value == [named[0]]
    button(app, "Run 4 runs").click().run()
    assert "All 4 runs are done." in told(finish(app))
    assert not app.exception


def test_an_experiment_is_measured_on_it_and_drawn_beside_what_was_measured(named):
    title = registered_cards()[0].title
    app = other_page("experiments", experiment="Constant or annealed", measured=title, measured_on="1")
    assert not app.exception
    assert app.selectbox(key="measured").value == title
    (run,) = [each for each in app.button if re.fullmatch(r"Run \d+ runs", each.label)]
    run.click().run()
    finish(app)
    assert not app.exception
    assert f"##### {title}, 1 picture" in [shown(each.value) for each in app.markdown]


def test_a_network_of_cifar10_is_tuned_in_its_own_size(monkeypatch, tmp_path):
    write_cifar10(tmp_path / "cifar10")
    text = """
import torch
def load():
    def see(images):
        brightness = images.mean((1, 2, 3))[:, None]
        return -1000 * (brightness - torch.arange(10) * 22 / 255 - 15 / 255) ** 2
    see.class_names, see.input_size = "cifar10", 16
    return see
"""
    monkeypatch.setenv(VARIABLE, json.dumps([python_file(tmp_path, text, "small") + ":load"]))
    (card,) = registered_cards()
    app = other_page("tune", networks=card.title)
    assert not app.exception
    assert [each.value for each in app.error] == []
    both = app.multiselect(key="networks").set_value([card.name, "cifar-vgg"]).run()
    assert any("see pictures of one size; these see 16 × 16 and 32 × 32" in each.value for each in both.error)
