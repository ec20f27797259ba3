"""One class and one entry in ATTACKS: pages, commands and studies know the attack, without a word about it anywhere."""

import dataclasses
import json
import time
from dataclasses import dataclass

import pandas as pd
import pytest
import torch
from app_page import button, problems, story
from streamlit.testing.v1 import AppTest

from explorer.__main__ import main
from explorer.attacks import ATTACKS, Attack, SparseAttack
from explorer.attacks.problem import Problem
from explorer.attacks.stage import State
from explorer.knobs import knob
from explorer.studies.plan import run_key, shared
from explorer.ui import long_runs, run_files

TUNE = "explorer/views/tune.py"


@dataclass(frozen=True)
class Brightest(Attack):
    """Turn the brightest pixels black, `stride` more at each step, until the image fools."""

    title = "Lights out"
    summary = "Turns the brightest pixels black."
    source = "this test"
    main = ("stride",)
    black_box = True

    stride: int = knob(64, "Pixels that are turned black at each step.", label="s · stride", low=1, high=4096,
                       slider=(8, 256))  # fmt: skip
    polish: bool = knob(False, "Push the surviving pixels further.")

    @property
    def rounds(self) -> int:
        return 8

    def start(self, problem: Problem, images: torch.Tensor) -> State:
        order = images.sum(1).flatten(1).argsort(1, descending=True)
        return {"order": order.argsort(1), "candidate": images, "margin": torch.zeros_like(images[:, 0, 0, 0])}

    def step(self, problem: Problem, state: State, t: torch.Tensor) -> State:
        images = problem.images
        dark = (state["order"] < self.stride * (t + 1)).view(len(images), 1, *images.shape[2:])
        candidate = torch.where(dark, problem.low, images)
        return {**state, "candidate": candidate, "margin": problem.margin(candidate)}


@pytest.fixture(autouse=True)
def _registered(monkeypatch, tmp_path):
    """The entry; and no earlier run answers the pages' questions."""
    monkeypatch.setitem(ATTACKS, "lights-out", Brightest)
    monkeypatch.setattr(run_files, "ROOT", tmp_path)
    run_files.folder.clear()
    long_runs.long_runs.clear()
    yield
    run_files.folder.clear()


def open_page(page: str | None = None, **link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return (app.switch_page(page) if page else app).run()


def finish(app: AppTest) -> None:
    until = time.monotonic() + 60
    while "Stop" in {each.label for each in app.button} and time.monotonic() < until:
        time.sleep(0.2)
        app.run()


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_explore_offers_it_with_its_settings_and_runs_it():
    app = open_page()
    app.selectbox(key="attack_choice").set_value("lights-out").run()
    assert problems(app) == []
    assert Brightest.title in app.selectbox(key="attack_choice").options
    assert app.slider(key="lights-out.stride").value == 64
    assert "Turns the brightest pixels black (this test)." in captions(app)
    assert "of 4,096 pixels" in story(app)
    assert isinstance(app.session_state.session.shown.attack, Brightest)
    assert "mechanics" not in {each.key for each in app.expander}, "it has no weights to show"
    assert app.query_params["attack"] in ("lights-out", ["lights-out"])


def test_explore_opens_it_by_its_link_and_its_settings_are_its_own():
    app = open_page(attack="lights-out", **{"lights-out.stride": "200", "steps": "30"})
    assert problems(app) == []
    assert app.slider(key="lights-out.stride").value == 200
    app.slider(key="lights-out.seed").set_value(3).run()
    button(app, "Defaults").click().run()
    assert app.slider(key="lights-out.stride").value == 64
    app.selectbox(key="attack_choice").set_value("sparse").run()
    assert problems(app) == []
    assert app.slider(key="seed").value == SparseAttack().seed
    assert "attack" not in app.query_params


def test_tune_tries_a_grid_of_it():
    app = open_page(TUNE, attack="lights-out", signs="2", **{"lights-out.values_stride": "32, 128"})
    assert not app.exception
    assert [each.value for each in app.title] == ["What do the settings do?"]
    assert app.selectbox(key="lights-out.x").value == "stride"
    app.selectbox(key="lights-out.y").set_value("max_pixels").run()
    app.text_input(key="lights-out.values_max_pixels").set_value("10, 50").run()
    button(app, "Run 8 runs").click().run()
    finish(app)
    assert "All 8 runs are done." in captions(app)
    for view in ("Map", "Curves", "Pareto front", "Parallel", "Table"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception, view


def test_bench_compares_it(tmp_path, capsys):
    out = tmp_path / "bench.csv"
    options = ["--model", "signs-resnet", "--device", "cpu", "--n", "2", "--repeats", "1", "--out", str(out)]
    assert main(["bench", *options, "--attacks", "lights-out:stride=128,lights-out-bare"]) == 0
    told = capsys.readouterr().out
    assert "lights-out:stride=128" in told
    assert "forward and backward passes" not in told, "its steps follow no gradient"
    assert pd.read_csv(out)["attack"].tolist() == ["lights-out:stride=128", "lights-out-bare"]


def test_sweep_and_tune_and_attack_take_its_options(tmp_path, capsys):
    model = ["--model", "signs-resnet", "--device", "cpu"]
    few = ["--pictures", "gallery", "--n", "2", "--attack", "lights-out"]
    assert main(["sweep", *model, *few, "--stride", "64,128", "--out", str(tmp_path / "sweep.csv")]) == 0
    table = pd.read_csv(tmp_path / "sweep.csv")
    assert {*table["attack"]} == {"Brightest"}
    assert sorted({*table["stride"]}) == [64, 128]
    assert "weights_l0" not in table
    assert "stride" in capsys.readouterr().out

    storage = ["--storage", f"sqlite:///{tmp_path}/tune.db", "--out", str(tmp_path / "tune.json")]
    assert main(["tune", *model, *few, *storage, "--trials", "2", "--check", "0"]) == 0
    found = json.loads((tmp_path / "tune.json").read_text())
    assert found["attack"] == "Brightest"
    assert 8 <= found["settings"]["stride"] <= 256

    out = ["--out", str(tmp_path / "attack"), "--attack", "lights-out", "--stride", "200"]
    assert main(["attack", "stop-1", *model, *out]) in (0, 3)
    result = json.loads((tmp_path / "attack" / "result.json").read_text())
    assert (result["attack"], result["settings"]["stride"]) == ("Brightest", 200)
    assert main(["evidence", *model, *few, "--out", str(tmp_path / "evidence.csv")]) in (0, 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--attack", "lights-out", "--a", "0.1"], "--a is no setting of the attack 'lights-out': it has --stride"),
        (["--stride", "3"], "--stride is no setting of the attack 'sparse'"),
        (["--attack", "lights-out", "--stride", "many"], "--stride takes a whole number; got 'many'"),
        (["--attack", "lights-out", "--preset", "paper"], "has no preset 'paper': it has default"),
    ],
)
def test_an_option_of_another_attack_is_one_sentence(options, says, tmp_path, capsys):
    assert main(["attack", "stop-1", "--model", "signs-resnet", "--out", str(tmp_path), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert says in err


def test_an_experiment_refuses_an_attack_that_lacks_what_it_varies(capsys):
    for options, says in (
        (["--attack", "lights-out"], "There is no setting 'lam'"),
        (["--lam", "2"], "lam is what this experiment varies"),
    ):
        assert main(["experiment", "lambda", "--model", "signs-resnet", "--device", "cpu", *options]) == 2
        assert says in capsys.readouterr().err


def test_runs_of_two_attacks_with_the_same_settings_are_two_runs():
    @dataclass(frozen=True)
    class Twin(Brightest):
        """The same by another name."""

    one, other = Brightest(), Twin(**dataclasses.asdict(Brightest()))
    assert run_key(one, "picture", 0, "network") != run_key(other, "picture", 0, "network")
    assert shared(Brightest(stride=9)) == Brightest(stride=9), "no setting may differ within a batch"
    assert shared(SparseAttack(a=0.3, steps=9)) == SparseAttack(steps=9)


def test_tune_searches_its_best_setting(monkeypatch):
    from explorer.ui import search

    monkeypatch.setattr(search, "TRIALS", (2, 200, 2))
    app = open_page(TUNE, attack="lights-out", part="Find the best for me", signs="2")
    assert not app.exception
    assert app.multiselect(key="lights-out.over").value == ["stride"]
    button(app, "Search").click().run()
    finish(app)
    assert not app.exception
    assert "2 of 2 trials" in captions(app)
    assert "Recommended" in " ".join(each.value for each in app.markdown)
