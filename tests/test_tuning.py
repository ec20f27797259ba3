"""The search: goals, recommendation, and several workers on one study, of which one dies."""

import dataclasses
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import optuna
import pytest
import torch
from torch import nn

from explorer.__main__ import main
from explorer.attacks import ATTACKS, Greedy, RandomSearch, SparseAttack, driver
from explorer.studies.tuning import (
    Difference,
    Outcome,
    Stopped,
    Task,
    check,
    checked,
    completed,
    measure,
    open_study,
    outcome,
    recommend,
    tunable,
    usual,
    work,
    workers,
)
from explorer.studies.tuning import database as tuning_database

BASE = SparseAttack(steps=4, prune=False, polish=False)
ROOT = Path(__file__).parents[1]


def linear() -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    with torch.no_grad():
        weight = torch.rand(4, 192, generator=torch.Generator().manual_seed(0)) - 0.5
        network[1].weight.copy_(weight)
        network[1].bias.zero_()
    return network.eval().requires_grad_(False)


def make_task(**changes) -> Task:
    network = linear()
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return Task(network, images, network(images).argmax(1), **{"base": BASE, "over": ("a", "lam"), **changes})


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/deep/study.db"


def test_the_search_starts_from_the_given_setting_and_stays_within_the_limits(task, url):
    study = open_study(url, "one", task)
    assert work(study, task, 6)
    trials = completed(study, task)
    assert len(trials) == 6
    assert trials[0].params == {"a": BASE.a, "lam": BASE.lam}
    for trial in trials:
        setting = task.setting(trial)
        assert (setting.steps, setting.prune) == (4, False)
        for name in task.over:
            low, high = tunable(task.base)[name].slider
            assert low <= getattr(setting, name) <= high
        assert trial.values == [outcome(trial).pixels, outcome(trial).success, outcome(trial).seconds]


def test_a_study_goes_on_where_it_was(task, url):
    work(open_study(url, "one", task), task, 3)
    study = open_study(url, "one", task)
    assert len(completed(study, task)) == 3
    work(study, task, 5)
    assert len(completed(study, task)) == 5
    assert not work(study, task, 5) or len(completed(study, task)) == 5


def test_a_stopped_trial_waits_for_its_turn(task, url):
    study = open_study(url, "one", task)
    assert not work(study, task, 2, on_step=lambda step: True)
    assert completed(study, task) == []
    (waiting,) = study.get_trials(states=(optuna.trial.TrialState.WAITING,))
    assert waiting.system_attrs["fixed_params"] == {"a": BASE.a, "lam": BASE.lam}
    assert work(study, task, 1)
    assert completed(study, task)[0].params == {"a": BASE.a, "lam": BASE.lam}


@pytest.mark.parametrize("change", [{"over": ("a", "tau")}, {"base": BASE.__class__(steps=5)}, {"images": None}])
def test_a_study_of_something_else_is_refused(task, url, change):
    open_study(url, "one", task)
    if "images" in change:
        change = {"images": task.images.flip(0), "labels": task.labels.flip(0)}
    with pytest.raises(ValueError, match="about other pictures, another network or other settings"):
        open_study(url, "one", dataclasses.replace(task, **change))


def contents(url: str) -> list[str]:
    """Everything that the database holds."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        return [*database.iterdump()]


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize", "minimize"], ["minimize"] * 2])
@pytest.mark.parametrize("ours", [True, False])
def test_a_study_of_another_program_is_refused_before_anything_is_written(task, url, directions, ours, monkeypatch):
    monkeypatch.setattr(tuning_database, "LOOK", 0.0)
    open_study(url, "mine", task)
    theirs = optuna.create_study(storage=url, study_name="one", directions=directions)
    if ours:  # whatever its attribute says, it has other goals
        theirs.set_user_attr("task", task.fingerprint)
    before = contents(url)
    with pytest.raises(ValueError, match="was not made by this program: name a new one"):
        open_study(url, "one", task)
    assert contents(url) == before


def test_a_study_without_a_fingerprint_is_no_match(task, url, monkeypatch):
    monkeypatch.setattr(tuning_database, "LOOK", 0.0)
    open_study(url, "mine", task)
    optuna.create_study(storage=url, study_name="one", directions=["minimize", "maximize", "minimize"])
    with pytest.raises(ValueError, match="was not made by this program"):
        open_study(url, "one", task)


def test_a_read_only_database_is_called_one(task, url):
    open_study(url, "one", task)
    path = url.removeprefix("sqlite:///")
    with pytest.raises(ValueError, match=r"cannot be opened at .*: attempt to write a readonly database\.$"):
        open_study(f"sqlite:///file:{path}?mode=ro&uri=true", "two", task)
    assert not Path("file:").exists()


def test_trials_that_fail_one_after_the_other_come_to_an_end(task, url, monkeypatch):
    monkeypatch.setattr(workers, "measure", lambda *_args: Outcome((1, 2, 3, 4), math.nan, 64))
    study = open_study(url, "one", task)
    with pytest.raises(ValueError, match=r"^3 trials in a row failed, so 'one' goes no further\.$"):
        work(study, task, 5)
    assert [trial.state.name for trial in study.get_trials()] == ["FAIL"] * 3


def test_a_database_that_goes_away_in_the_middle_is_one_sentence(task, url, monkeypatch):
    def vanish(*_args) -> Outcome:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute("drop table trial_user_attributes")
        return Outcome((1, 2, 3, 4), 1.0, 64)

    study = open_study(url, "one", task)
    monkeypatch.setattr(workers, "measure", vanish)
    with pytest.raises(ValueError, match=r"^The study 'one' cannot go on: no such table: trial_user_attributes\.$"):
        work(study, task, 1)


def test_a_check_that_cannot_be_kept_is_one_sentence(task, url):
    study = open_study(url, "one", task)
    work(study, task, 1)
    best = recommend(study, task)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as theirs:
        theirs.execute("drop table study_user_attributes")
    with pytest.raises(ValueError, match=r"^The study 'one' cannot keep what the check found: no such table: .*\.$"):
        check(study, best, task)


def test_a_fingerprint_is_of_bytes_and_asks_the_network_nothing(task):
    class Unasked(nn.Sequential):
        def forward(self, images):
            pytest.fail("it ran")

    asked = dataclasses.replace(task, network=Unasked(*linear()))
    assert len(asked.fingerprint) == 64
    assert make_task().fingerprint == task.fingerprint
    nearly = linear()
    with torch.no_grad():
        nearly[1].weight[0, 0] += 1e-6  # no digit of a rounded logit tells
    assert dataclasses.replace(task, network=nearly).fingerprint != task.fingerprint


def test_what_a_check_found_is_kept_with_the_study(task, url):
    unseen = dataclasses.replace(task, images=task.images.flip(3))
    study = open_study(url, "one", task)
    work(study, task, 2)
    best = recommend(study, task)
    assert checked(study, best, unseen) is None
    found = check(study, best, unseen)
    again = open_study(url, "one", task)
    assert checked(again, recommend(again, task), unseen) == found
    assert checked(again, best, dataclasses.replace(unseen, images=task.images.flip(2))) is None
    with pytest.raises(Stopped):
        check(study, best, unseen, lambda _step: True)


@pytest.mark.parametrize("bad", ["nonsense", "sqlite:////proc/none.db", "nodriver://host/db"])
def test_a_database_that_cannot_be_used_is_one_sentence(task, bad):
    with pytest.raises(ValueError, match="cannot be opened"):
        open_study(bad, "one", task)


@pytest.mark.parametrize("over", [(), ("a", "prune"), ("unit",), ("nothing",)])
def test_what_cannot_be_tuned_is_refused(over):
    with pytest.raises(ValueError, match=r"cannot be tuned|nothing to tune"):
        make_task(over=over)


def test_a_trial_is_measured_picture_by_picture(task):
    found = measure(task, BASE)
    alone = BASE(task.network, task.images, task.labels)
    expected = [n if ok else None for n, ok in zip(alone.n_pixels.tolist(), alone.succeeded.tolist(), strict=True)]
    assert [*found.n_pixels] == expected
    assert found.seconds > 0
    with pytest.raises(Stopped):
        measure(task, BASE, lambda step: step.done == 2)


def test_a_setting_that_leaves_nearly_all_pixels_is_given_up(task):
    hopeless = dataclasses.replace(BASE, prune=True, lam=0.0, tau=0.0, steps=1)
    found = measure(task, hopeless)
    assert (found.success, found.pixels) == (0, 64)


def test_a_hopeless_setting_is_seen_in_every_part_of_a_batch_and_where_the_attack_ends_early(task, monkeypatch):
    hopeless = dataclasses.replace(BASE, prune=True, lam=0.0, tau=0.0)
    monkeypatch.setattr(driver, "room_for", lambda images, n_bytes: driver.Room(3, 3))  # two parts of two
    stages: list[str] = []
    found = measure(task, hopeless, lambda step: stages.append(step.stage))
    assert (found.success, found.pixels) == (0, 64)
    assert {*stages} == {"optimised"}, "nothing was pruned"
    early = Greedy(steps=1000, polish=False)
    assert measure(task, early).success == 1
    monkeypatch.setitem(measure.__globals__, "HOPELESS", 0.0)
    assert measure(task, early).success == 0, "also where few of its steps were done"


def test_outcomes_count_the_fooled():
    assert Outcome((2, None, 4), 1.0, 64).pixels == 3
    assert Outcome((2, None, 4), 1.0, 64).success == pytest.approx(2 / 3)
    assert Outcome((None, None), 1.0, 64).pixels == 64


@pytest.mark.parametrize(
    ("one", "other", "mean", "verdict"),
    [
        ([1, 2, 3, 4], [5, 6, 7, 9], -4.25, "fewer"),
        ([5, 6, 7, 9], [1, 2, 3, 4], 4.25, "more"),
        ([1, 9, 3, 7], [2, 8, 4, 6], 0, "equal within error"),
        ([1, None, 3, 4], [None, 6, 7, 9], -4.5, "fewer"),
    ],
)
def test_differences_are_paired(one, other, mean, verdict):
    difference = Difference.between(one, other)
    assert difference.mean == pytest.approx(mean)
    assert difference.verdict == verdict


def test_one_pair_proves_nothing():
    assert Difference.between([1], [9]).verdict == "equal within error"
    nothing = Difference.between([1], [None])
    assert math.isnan(nothing.mean)
    assert (nothing.verdict, str(nothing)) == ("not comparable", "no picture was fooled with both")


def add(study: optuna.Study, a: float, n_pixels: list[int | None], seconds: float) -> None:
    found = Outcome(tuple(n_pixels), seconds, 64)
    study.add_trial(
        optuna.trial.create_trial(
            params={"a": a, "lam": 1.0},
            distributions={
                "a": optuna.distributions.FloatDistribution(0.01, 1.0, log=True),
                "lam": optuna.distributions.FloatDistribution(0.01, 10.0, log=True),
            },
            values=[found.pixels, found.success, found.seconds],
            user_attrs={"n_pixels": n_pixels, "seconds": seconds, "size": 64},
        )
    )


def test_the_recommended_setting_fools_most_then_needs_fewest_then_is_quickest(task):
    study = optuna.create_study(directions=["minimize", "maximize", "minimize"])
    assert recommend(study, task) is None
    add(study, 0.02, [1, 1, None, 1], 1.0)  # few, but it fails once
    add(study, BASE.a, [9, 8, 9, 8], 1.0)
    add(study, 0.3, [5, 6, 5, 6], 2.0)
    add(study, 0.5, [5, 7, 5, 6], 0.5)  # no more, within error, and quicker
    best = recommend(study, task)
    assert best.attack == dataclasses.replace(BASE, a=0.5)
    assert best.default.n_pixels == (9, 8, 9, 8)
    assert "3 fool 100 %" in best.reason
    assert "least time" in best.reason


WORKER = """
import sys, time
from tests.test_tuning import make_task, open_study, work

url, trials = sys.argv[1], int(sys.argv[2])
task = make_task()
task.network.register_forward_hook(lambda *_: time.sleep(0.004))  # slow, and the same network
study = open_study(url, "one", task, heartbeat=1, grace=3)
print("ready", flush=True)
work(study, task, trials)
"""


def worker(url: str, trials: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(trials)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_trial_whose_worker_died_before_its_first_heartbeat_is_not_waited_for(task, url):
    study = open_study(url, "one", task, heartbeat=1, grace=1)
    with pytest.warns(UserWarning, match="Heartbeat"):  # which this leaves out
        lost = study.ask()  # as a worker does first of all; nothing else is ever heard of it
    assert work(study, task, 1)
    assert [trial.state.name for trial in study.get_trials()] == ["FAIL", "COMPLETE"]
    assert study.get_trials()[0].number == lost.number
    assert completed(study, task)[0].params == {"a": BASE.a, "lam": BASE.lam}, "what it had in hand is done by another"


def test_two_processes_share_a_study_and_one_that_is_killed_loses_its_running_trial_alone(task, url, request):
    first, second = worker(url, 16), worker(url, 16)
    request.addfinalizer(lambda: [(each.kill(), each.wait(), each.stdout.close()) for each in (first, second)])
    assert (first.stdout.readline(), second.stdout.readline()) == ("ready\n", "ready\n")
    study = open_study(url, "one", task, heartbeat=1, grace=3)
    until = time.monotonic() + 60
    while len(completed(study, task)) < 4 and time.monotonic() < until:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    before = completed(study, task)
    assert second.wait(90) == 0

    trials = study.get_trials()
    states = [trial.state.name for trial in trials]
    assert 16 <= states.count("COMPLETE") <= 17
    assert {trial.number: trial.values for trial in before}.items() <= {
        trial.number: trial.values for trial in trials
    }.items(), "what was complete stays"
    assert states.count("FAIL") <= 1
    assert states.count("RUNNING") == 0
    lost = [trial.params for trial in trials if trial.state.name == "FAIL"]
    settings = [tuple(trial.params.values()) for trial in completed(study, task)]
    assert len(settings) == len({*settings}), "no setting is tried twice"
    for params in lost:  # what the dead one had in hand was done by the other
        assert any(params.items() <= trial.params.items() for trial in completed(study, task))


def test_the_command_searches_checks_and_writes(tmp_path, capsys, monkeypatch):
    out = tmp_path / "tune.json"
    given = ["--model", "signs-resnet", "--device", "cpu", "--pictures", "gallery", "--n", "2", "--check", "2"]
    quick = ["--steps", "3", "--no-prune", "--no-polish", "--over", "a,lam"]
    storage = ["--storage", f"sqlite:///{tmp_path}/tune.db", "--out", str(out)]
    assert main(["tune", *given, *quick, *storage, "--trials", "3"]) == 0
    told = capsys.readouterr().out
    assert "3 trials, each on 2 correctly classified pictures" in told
    assert "Checked on 2 pictures that were not used" in told
    record = json.loads(out.read_text())
    assert record["settings"]["steps"] == 3
    assert record["checked_on"]["verdict"] in ("fewer", "more", "equal within error")
    assert main(["tune", *given, *quick, *storage, "--trials", "4"]) == 0
    assert "4 trials" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [["--trials", "0"], ["--check", "-1"], ["--over", "a,none"], ["--storage", "nonsense"], ["--n", "55"]],
)
def test_bad_options_are_one_line(options, tmp_path, capsys):
    given = ["--model", "signs-resnet", "--device", "cpu", "--pictures", "gallery", "--n", "2", "--check", "2"]
    storage = ["--storage", f"sqlite:///{tmp_path}/tune.db"]
    assert main(["tune", *given, *storage, *options]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_tuned_by_default_can_be_tuned(name):
    assert {*usual(ATTACKS[name])} <= {*tunable(ATTACKS[name])}
    assert usual(ATTACKS[name])


def test_a_study_of_another_attack_with_the_same_settings_is_refused(task, url):
    @dataclasses.dataclass(frozen=True)
    class Twin(SparseAttack):
        """The same by another name."""

    open_study(url, "one", task)
    twin = Twin(**dataclasses.asdict(BASE))
    with pytest.raises(ValueError, match="other settings"):
        open_study(url, "one", dataclasses.replace(task, base=twin))


def test_any_attack_is_tuned(url):
    task = make_task(base=RandomSearch(queries=100, k=4), over=("queries", "share"))
    study = open_study(url, "one", task)
    assert work(study, task, 3)
    for trial in completed(study, task):
        setting = task.setting(trial)
        assert isinstance(setting.queries, int)
        assert 0.05 <= setting.share <= 1
