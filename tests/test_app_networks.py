"""The Explore page's networks: chosen, downloaded on a click, uploaded, and on which device they run."""

import math
import re
import time
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from app_page import button, forget_classifiers, labels, open_page, problems, story
from safetensors.torch import load_file, save
from streamlit.testing.v1 import AppTest

from explorer import fetching
from explorer.classifiers import DEFAULT, Download, load_classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.samples import cifar10
from explorer.ui import caches, devices, own_network, runs
from explorer.ui.caches import answers
from explorer.ui.devices import Device
from explorer.ui.long_runs import LongRun, long_runs
from explorer.ui.uploads import Uploads

ASSETS = Path(__file__).parents[1] / "assets"
SIGNS = (ASSETS / "signs-resnet.safetensors").read_bytes()


@pytest.fixture(autouse=True)
def _at_home(monkeypatch, tmp_path):
    """Runs start by themselves; nothing that lies on this computer, and no network, is found."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path / "cifar10"))
    monkeypatch.setattr(fetching.urllib.request, "urlopen", offline)
    long_runs.clear()


def offline(*_args, **_more):
    raise URLError("no network in tests")


def told(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.info, *app.caption, *app.markdown))


def test_a_network_that_is_not_here_is_one_sentence_and_nothing_is_fetched_unasked(tmp_path):
    app = open_page(network="resnet18")
    assert problems(app) == []
    assert not app.header
    (offer,) = [each.value for each in app.caption if "not on the computer that runs this app" in each.value]
    for part in ("ResNet-18", "resnet18-f37072fd.pth", "MB", str(tmp_path / "hub" / "checkpoints"), "need no download"):
        assert part in offer
    assert any(label.startswith("Download ") for label in labels(app))
    assert list(tmp_path.rglob("*.pth")) == []
    app.selectbox(key="world").set_value("signs").run()
    assert story(app).startswith("Stop, ")


def test_offline_a_download_is_one_sentence_within_five_seconds():
    app = open_page(network="resnet18")
    started = time.monotonic()
    button(app, next(label for label in labels(app) if label.startswith("Download "))).click().run()
    (run,) = long_runs()._kept.values()
    assert run.job.wait(5)
    app.run()
    assert time.monotonic() - started < 5 + 5  # the page itself, on a busy machine
    (error,) = problems(app)
    assert "no connection" in error
    assert "signs-resnet" in error
    assert "\n" not in error
    app.selectbox(key="world").set_value("signs").run()
    assert problems(app) == []


def test_a_download_shows_its_progress_goes_on_across_reruns_and_can_be_stopped(monkeypatch):
    def endless(_self, on_bytes, stopped):
        while not stopped():
            on_bytes(5 * 10**6, 45 * 10**6)
        return False

    monkeypatch.setattr(Download, "fetch", endless)
    app = open_page(network="resnet18")
    button(app, next(label for label in labels(app) if label.startswith("Download "))).click().run()
    (run,) = long_runs()._kept.values()
    assert run.job.text == "" or "5.0 of 45 MB" in run.job.text
    again = open_page(network="resnet18")
    assert "Stop" in labels(again), "another visitor sees the same download"
    button(again, "Stop").click().run()
    assert run.job.wait(10)
    assert any(label.startswith("Download ") for label in labels(app.run()))
    assert problems(app) == []


def test_what_was_downloaded_is_loaded(monkeypatch):
    def start_and_wait(
        run: LongRun, person: str | None = None
    ) -> None:  # else it may end while the page is drawn, half with it and half without
        start(run, person)
        assert run.job.wait(10)

    arrived, start = [], LongRun.start
    monkeypatch.setattr(LongRun, "start", start_and_wait)
    monkeypatch.setattr(Download, "here", property(lambda _self: bool(arrived)))
    monkeypatch.setattr(Download, "fetch", lambda _self, _on_bytes, _stopped: arrived.append(True) or True)
    monkeypatch.setattr(caches, "load_classifier", lambda _name, device: load_classifier("signs-cnn", device))
    app = open_page(network="resnet18")
    button(app, next(label for label in labels(app) if label.startswith("Download "))).click().run()
    app.run()
    assert problems(app) == []
    assert "of 4,096 pixels" in story(app)
    forget_classifiers()


def test_weights_that_came_damaged_are_one_sentence(tmp_path):
    path = Download("https://example.invalid/squeezenet1_0-b66bff10.pth", 1).path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x80\x02cos\nsystem\n")
    app = open_page(network="squeezenet1_0")
    (error,) = problems(app)
    assert "is damaged" in error


def test_what_stands_there_until_there_is_something_to_show_does_not_stay_behind_a_form():
    app = open_page(network="upload")
    assert "Use these weights" in labels(app)
    assert not [each for each in app.get("html") if 'class="skeleton"' in each.proto.body]


def upload(content: bytes, **said) -> AppTest:
    app = open_page(network="upload")
    assert problems(app) == []
    app.file_uploader(key="own_file").set_value(("mine.safetensors", content, "application/octet-stream"))
    said = {"own_architecture": "signs-resnet", "own_known": "signs", **said}
    for key in ("own_architecture", "own_known"):
        app.selectbox(key=key).set_value(said.pop(key))
    app.run()
    if "own_classes" in said:
        app.text_area(key="own_classes").set_value(said.pop("own_classes"))
    if "own_norm" in said:
        app.segmented_control(key="own_norm").set_value(said.pop("own_norm")).run()
    assert not said
    return button(app, "Use these weights").click().run()


def test_own_weights_are_attacked_and_belong_to_nobody_else():
    before = len(answers()._kept)
    app = upload(SIGNS, own_norm="none")
    assert problems(app) == []
    assert "of 4,096 pixels" in story(app)
    kept = [asked for asked in answers()._kept if asked.owner]
    assert len(answers()._kept) == before + 1
    assert kept[-1].owner == app.session_state.session.owner
    stranger = open_page(network="upload")
    assert not stranger.header
    assert stranger.session_state.session.own is None


def test_weights_in_the_servers_folder_are_offered_with_the_own(monkeypatch, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(SIGNS)
    (tmp_path / "mine.json").write_text('{"architecture": "signs-resnet", "classes": "signs"}')
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    app = open_page(network="own:mine")
    assert problems(app) == []
    assert app.selectbox(key="world").value == "own"
    assert app.selectbox(key="network_choice").options == ["Weights that you upload", "mine"]
    assert story(app).startswith("Stop, ")
    assert "true_class" not in {each.key for each in app.selectbox}, "it knows the signs, so their labels count"
    (tmp_path / "mine.safetensors").write_bytes(SIGNS[:-9])
    forget_classifiers()
    (error,) = problems(open_page(network="own:mine"))
    assert "breaks off" in error


def test_a_network_whose_file_was_replaced_is_another_network(monkeypatch, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(SIGNS)
    (tmp_path / "mine.json").write_text('{"architecture": "signs-resnet", "classes": "signs"}')
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    app = open_page(network="own:mine")
    before, shown = story(app), app.session_state.session.shown
    asked = app.session_state.session.answered.network
    tensors = load_file(ASSETS / "signs-resnet.safetensors")
    path.write_bytes(save({name: 1.1 * tensor if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}))
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    monkeypatch.setattr(runs, "UNASKED", 0.0)
    app.run()
    assert problems(app) == []
    assert "→" not in story(app), "what the old network saw is not shown as the new one's"
    button(app, "Run").click().run()
    assert story(app) != before
    assert app.session_state.session.shown is not shown
    assert app.session_state.session.answered.network != asked


def test_other_names_for_the_classes_are_another_network_too(monkeypatch, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(SIGNS)
    describe = (tmp_path / "mine.json").write_text
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    for kind in ("first", "second"):
        classes = str([f"{kind} {number}" for number in range(18)]).replace("'", '"')
        describe(f'{{"architecture": "signs-resnet", "classes": {classes}}}')
        app = open_page(network="own:mine")
        assert problems(app) == []
        assert story(app).startswith(f"{kind} ")


def test_more_uploads_than_the_server_keeps_are_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(own_network, "uploads", lambda: Uploads(most=0, most_bytes=0))
    app = upload(SIGNS, own_norm="none")
    (error,) = problems(app)
    assert "Visitors have uploaded 0 networks" in error
    assert app.session_state.session.own is None


def test_the_same_file_with_another_meaning_is_another_network():
    named = [upload(SIGNS, own_norm=norm).session_state.session.own.name for norm in ("none", "ImageNet")]
    assert named[0] != named[1]


def test_classes_of_ones_own_are_named():
    names = "\n".join(f"class {number}" for number in range(18))
    app = upload(SIGNS, own_norm="custom", own_known="a list", own_classes=names)
    assert problems(app) == []
    assert story(app).startswith("class ")
    assert "true_class" in {each.key for each in app.selectbox}


def with_nan() -> bytes:
    tensors = load_file(ASSETS / "signs-resnet.safetensors")
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    return save({**tensors, name: torch.full_like(tensors[name], math.nan)})


BAD = {
    "noise": (b"no weights at all, whatever their name says", {}, "no safetensors file"),
    "pickle": (b"\x80\x02cos\nsystem\n(S'true'\ntR.", {}, "pickle"),
    "truncated": (SIGNS[:-1000], {}, "breaks off"),
    "nan": (with_nan(), {}, "NaN"),
    "other architecture": (SIGNS, {"own_architecture": "resnet18"}, "do not fit the architecture: .* missing"),
    "other classes": (SIGNS, {"own_known": "a list", "own_classes": "cat\ndog"}, "do not fit the architecture"),
    "no classes": (SIGNS, {"own_known": "a list", "own_classes": " \n"}, "classes are expected"),
}


@pytest.mark.parametrize(("content", "said", "says"), BAD.values(), ids=BAD)
def test_weights_that_do_not_fit_are_one_readable_sentence(content, said, says):
    app = upload(content, **said)
    (error,) = problems(app)
    assert "\n" not in error
    assert len(error) < 500
    assert re.search(says, error)
    assert app.session_state.session.own is None
    assert not app.header


def test_a_slow_network_says_how_long_a_run_takes_and_waits(monkeypatch):
    monkeypatch.setattr(runs, "UNASKED", 15.0)
    monkeypatch.setattr(runs, "seconds_per_step", lambda _clf: 0.5)
    answers.clear()  # what another test asked needs no run
    app = open_page(steps="100")
    assert problems(app) == []
    assert "→" not in story(app), "the clean picture waits with the visitor"
    assert "A run with these settings takes 2 to 8 min on the CPU." in told(app)
    assert "Run" in labels(app)


def test_a_network_that_is_left_takes_its_run_along(monkeypatch):
    app = open_page()
    assert app.header
    monkeypatch.setattr(runs, "UNASKED", 0.0)
    answers.clear()
    app.selectbox(key="network_choice").set_value("signs-vit").run()
    assert problems(app) == []
    assert "→" not in story(app), "what another network saw is not shown as this one's"


def test_one_device_is_not_asked_for():
    devices.devices.cache_clear()
    app = open_page()
    asked = "device" in {each.key for each in app.selectbox}
    assert asked == (len(devices.devices()) > 1)


def test_a_device_can_be_chosen_is_in_the_link_and_has_answers_of_its_own(monkeypatch):
    both = (Device("cpu:0", "Fast CPU", 0), Device("cpu", "CPU", 8 * 2**30))
    monkeypatch.setattr(devices, "devices", lambda: both)
    app = open_page(seed="5")
    assert app.selectbox(key="device").options == ["Fast CPU", "CPU, 8 GB"]
    assert "on the Fast CPU" in told(app)
    asked = len(answers()._kept)
    app.selectbox(key="device").set_value("cpu").run()
    assert problems(app) == []
    assert app.query_params["device"] == "cpu"
    assert "on the CPU" in told(app)
    assert len(answers()._kept) == asked + 1
    forget_classifiers()


def test_what_a_network_of_another_data_set_is_asked_for_is_let_go(monkeypatch):
    monkeypatch.setattr(Download, "here", True)
    names = [f"thing {number}" for number in range(18)]

    def other(_name: str, device: str):
        clf = load_classifier("signs-cnn", device)
        clf.class_names, clf.dataset = names, "imagenet"
        return clf

    app = open_page(target="Yield")
    assert app.selectbox(key="target").value == "Yield"
    monkeypatch.setattr(caches, "load_classifier", other)
    app.selectbox(key="world").set_value("imagenet").run()
    assert problems(app) == []
    assert app.selectbox(key="target").value == "any wrong class"
    assert app.segmented_control(key="source").value == "Photographs"
    assert app.selectbox(key="method").value == DEFAULT_METHOD
    app.selectbox(key="world").set_value("signs").run()
    assert problems(app) == []
    assert app.query_params.get("network", DEFAULT) == DEFAULT
    assert app.segmented_control(key="source").value == "Road signs"
    forget_classifiers()


def test_two_devices_of_one_kind_are_told_apart():
    """A control knows its choices by what they are called: the second of two equal GPUs must not mean the first."""
    card = 80 * 2**30
    found = (Device("cuda:0", "H100", card), Device("cuda:1", "H100", card), Device("cpu", "CPU", 2**34))
    titles = {"cuda:0": "H100, 80 GB (cuda:0)", "cuda:1": "H100, 80 GB (cuda:1)", "cpu": "CPU, 16 GB"}
    assert devices._titles(found) == titles
