"""What the page says and sets, without the page: slider stops, plain words, one store of answers."""

import dataclasses
import itertools
import math
import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from explorer import load_classifier
from explorer.attacks import SparseAttack
from explorer.pipeline import explore
from explorer.samples import find_sample
from explorer.types import Checks, Evidence, PixelLabel
from explorer.ui import caches, classes
from explorer.ui import runs as ui_runs
from explorer.ui import work as ui_work
from explorer.ui.caches import Answers, Question
from explorer.ui.controls import logarithmic_stops
from explorer.ui.link import exactly
from explorer.ui.runs import StatusLine
from explorer.ui.session import Session
from explorer.ui.words import check_sentences
from explorer.ui.work import advance, result_of

NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@given(st.floats(1e-5, 1), st.floats(1.5, 1e4), st.floats(0.01, 0.99))
def test_logarithmic_stops_rise_evenly_and_hold_what_must_be_set(low, ratio, share):
    high = low * ratio
    default = low * ratio**share
    stops = logarithmic_stops(low, high, {default})
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (low, high)
    assert default in stops
    assert max(b / a for a, b in itertools.pairwise(stops)) < 1.6


def evidence(**checks: float) -> Evidence:
    pixel = PixelLabel(1, 2, (0, 0, 0), (9, 9, 9), 1.0, 0.5, "obscuring", False, 1.0, 0.4, "obscuring")
    other = PixelLabel(3, 4, (0, 0, 0), (9, 9, 9), 0.2, 0.9, "leading", False, 0.8, 0.4, "obscuring")
    good = {"completeness_error": 0.01, "agreement": 0.5, "kappa": 0.2, "rank_correlation": 0.9, "additivity": 0.1}
    good |= {"dissociation": 0.8, "dissociation_p": 0.02}
    return Evidence((pixel, other), Checks(**{**good, **checks}), "integrated_gradients", 0, 1)


def test_each_check_is_one_sentence_with_its_number():
    completeness, agreement, ranks, groups, additivity = check_sentences(evidence())
    assert "within 1.0 %" in completeness
    assert "confirms 1 of 2 labels" in agreement
    assert "take care" in agreement
    assert "0.90" in ranks
    assert "D = 0.80" in groups
    assert "p = 0.02" in groups
    assert "one by one" in additivity


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_check_without_a_value_says_why_and_shows_none(value):
    sentences = check_sentences(
        evidence(completeness_error=value, additivity=value, kappa=math.nan, dissociation=math.nan)
    )
    assert not any(word in sentence for sentence in sentences for word in ("nan", "inf "))
    assert sentences[0].startswith(":gray-badge[undefined]")
    assert sentences[4].startswith(":gray-badge[undefined]")


def test_a_check_says_what_its_number_says():
    assert "a similar order" in check_sentences(evidence(rank_correlation=0.6))[2]
    assert "other orders" in check_sentences(evidence(rank_correlation=-0.4))[2]
    assert "groups have nothing to share" in check_sentences(evidence(dissociation=math.nan))[3]
    alike = evidence(dissociation=math.nan)
    alike = dataclasses.replace(alike, pixels=alike.pixels[:1])
    assert "All labels are of one kind" in check_sentences(alike)[3]


def test_an_interrupted_page_watches_on_instead_of_asking_again(monkeypatch):
    begun, started, go_on = [], threading.Event(), threading.Event()

    def work(job, _twin):
        begun.append(job)
        started.set()
        go_on.wait(10)
        advance(job, 1, 2, "half")
        return "done"

    def interrupted(_line, _job, _queue):
        raise RuntimeError("Stop, or a click on a mark, runs the page anew")

    me, clf = Session(), load_classifier("signs-vit", device="cpu")
    monkeypatch.setattr(ui_work, "session", lambda: me)
    watch = StatusLine.watch
    monkeypatch.setattr(StatusLine, "watch", interrupted)
    for _run in range(2):
        with pytest.raises(RuntimeError, match="anew"):
            result_of("proof", clf, work)
    monkeypatch.setattr(StatusLine, "watch", watch)
    assert started.wait(10)
    me.jobs["proof"].cancel()  # the Stop button
    go_on.set()
    assert result_of("proof", clf, work) is None
    assert result_of("proof", clf, work) is None, "stopped stays stopped until it is started again"
    assert len(begun) == 1


def test_work_whose_place_other_work_took_begins_anew(monkeypatch):
    me, clf, begun, started = Session(), load_classifier("signs-vit", device="cpu"), [], threading.Event()
    monkeypatch.setattr(ui_work, "session", lambda: me)
    watch = StatusLine.watch

    def other_work_comes(_line, job, queue):
        assert started.wait(10)
        queue.submit(lambda _job: None, me.owner)
        job.wait(10)

    def work(job, _twin):
        begun.append(job)
        started.set()
        while len(begun) == 1:
            time.sleep(0.01)
            advance(job, 1, 2, "half")
        return "done"

    monkeypatch.setattr(StatusLine, "watch", other_work_comes)
    assert result_of("proof", clf, work) is None
    assert "proof" not in me.results, "it was not stopped by the visitor"
    monkeypatch.setattr(StatusLine, "watch", watch)
    assert result_of("proof", clf, work) == "done"
    assert me.jobs == {}


def test_an_older_run_of_the_page_leaves_the_newer_one_what_it_has(monkeypatch):
    """Two runs of one page overlap: the older one still waits when the newer one has fetched the result."""
    me, clf = Session(), load_classifier("signs-vit", device="cpu")
    monkeypatch.setattr(ui_work, "session", lambda: me)
    watch, newer = StatusLine.watch, []

    def overtaken(line, job, queue):
        monkeypatch.setattr(StatusLine, "watch", watch)
        newer.append(result_of("proof", clf, lambda _job, _twin: "again"))
        watch(line, job, queue)

    monkeypatch.setattr(StatusLine, "watch", overtaken)
    assert result_of("proof", clf, lambda _job, _twin: "done") == "done"
    assert newer == ["done"]
    assert me.results == {"proof": "done"}


def test_a_bad_value_is_called_one():
    assert any("below zero" in sentence for sentence in check_sentences(evidence(dissociation=-0.3)))
    for check in ("completeness_error", "additivity"):
        assert any("take care" in sentence for sentence in check_sentences(evidence(**{check: 0.6})))


@dataclass(frozen=True)
class Settings:
    strength: float


def question(picture: str = "a", strength: float = 1.0, stage: str | None = None) -> Question:
    return Question(picture, "network", Settings(strength), None, "method", stage, image=torch.zeros(3, 1, 1))


def test_answers_are_found_by_what_was_asked_and_the_oldest_is_forgotten():
    answers = Answers(limit=2)
    answers.keep(question("a"), "first")
    answers.keep(question("b"), "second")
    assert answers.find(question("a")) == "first"  # now the newest
    answers.keep(question("c"), "third")
    assert [answers.find(question(picture)) for picture in "abc"] == ["first", None, "third"]


def test_an_attack_is_found_however_it_was_explained():
    answers = Answers(limit=64)
    answers.keep(question(stage="optimised"), "told")
    assert answers.find(question()) is None
    assert answers.find_attack(question()) == "told"
    assert answers.find_attack(question(strength=2.0)) is None


NUMBERS = {
    ("max_pixels", "inf"): (10**9, True),
    ("max_pixels", "1e400"): (10**9, True),
    ("max_pixels", "9" * 400): (10**9, True),
    ("max_pixels", "-3"): (1, True),
    ("max_pixels", "12.4"): (12, True),
    ("max_pixels", "1e1"): (10, False),
    ("max_pixels", "nan"): (None, True),
    ("lam", "0.30000000000000004"): (0.30000000000000004, False),
    ("lam", "0.123456789"): (0.123456789, False),
    ("lam", "3e-1"): (0.3, False),
    ("lam", "1000"): (1000.0, False),
    ("lam", "-inf"): (0.01, True),
    ("lam", "one"): (1.0, True),
    ("a", "0"): (0.01, True),
    ("tau", "1"): (0.5, True),
    ("steps", "30.0"): (30, False),
    ("steps", "30.5"): (30, True),
    ("steps", "1000"): (500, True),
    ("seed", "1e400"): (20, True),
    ("momentum", "0.123456789"): (0.123456789, False),
    ("eps", "nan"): (10 / 255, True),
    ("eps", "\x00"): (10 / 255, True),
}


def controls_page() -> None:
    import streamlit as st

    from explorer.attacks import SparseAttack
    from explorer.ui.controls import configure
    from explorer.ui.link import tell_unmet

    presets = {"Defaults": SparseAttack(), "Paper": SparseAttack.paper()}
    st.session_state.attack = configure(presets, ("a", "lam", "tau"))
    tell_unmet()


@pytest.mark.parametrize(("link", "expected"), NUMBERS.items(), ids=["=".join(link)[:30] for link in NUMBERS])
def test_a_number_of_a_link_is_read_in_full_or_put_right_with_a_sentence(link, expected):
    (name, text), (value, told) = link, expected
    app = AppTest.from_function(controls_page)
    app.query_params[name] = text
    app.run()
    assert not app.exception
    assert getattr(app.session_state.attack, name) == value
    assert [name for warning in app.warning] == [name] * told
    app.run()
    assert getattr(app.session_state.attack, name) == value
    assert len(app.warning) == told


def test_what_was_put_right_is_said_until_another_number_is_chosen():
    app = AppTest.from_function(controls_page)
    app.query_params["max_pixels"] = "inf"
    app.run()
    (warning,) = app.warning
    assert warning.value == "The link asks for inf as at most k pixels; the nearest that can be is used."
    app.number_input(key="max_pixels").set_value(7).run()
    assert not app.warning
    assert app.session_state.attack.max_pixels == 7


@given(st.floats(allow_nan=False))
def test_a_number_is_written_as_it_is_read(value):
    assert float(exactly(value)) == value


def test_memory_is_frozen_once_and_not_for_every_network(monkeypatch):
    frozen = []
    monkeypatch.setattr(caches.gc, "freeze", lambda: frozen.append(True))
    caches._freeze.cache_clear()
    for name in ("signs-cnn", "signs-vit"):
        caches._load(name, "cpu")
    assert frozen == [True]


def test_a_network_is_known_by_its_numbers_and_what_they_mean():
    clf, same, other = (load_classifier("signs-cnn", device="cpu") for _ in range(3))
    assert caches.content_of(clf) == caches.content_of(same)
    other.class_names = [*reversed(other.class_names)]
    assert caches.content_of(other) != caches.content_of(clf)
    changed = load_classifier("signs-cnn", device="cpu")
    next(changed.parameters()).data.view(-1)[0] += 1e-6
    assert caches.content_of(changed) != caches.content_of(clf)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_CUDA)])
def test_a_result_is_kept_in_the_computers_memory(device):
    clf = load_classifier("signs-cnn", device=device)
    found = explore(clf, find_sample("stop-1").image, SparseAttack(steps=3, prune=False, polish=False), target=3)
    kept = caches.on_cpu(found)
    for name in ("images", "labels", "targets", "adversarial", "adversarial_labels", "succeeded", "weights"):
        assert getattr(kept.result, name).device.type == "cpu"
        assert torch.equal(getattr(kept.result, name), getattr(found.result, name).cpu())
    assert {stage.device.type for stage in kept.result.stages.values()} == {"cpu"}
    assert kept.same_attack(found)


def test_a_class_that_is_called_like_no_target_is_not_taken_for_one(monkeypatch):
    monkeypatch.setattr(classes, "bound", lambda *_given: None)
    monkeypatch.setattr(classes, "st", SimpleNamespace(selectbox=lambda *_given, **_more: classes.ANY_CLASS))
    assert classes.choose_target(SimpleNamespace(class_names=["a", classes.ANY_CLASS])) is None


@pytest.mark.parametrize(("people", "told"), [(1, 25), (6, 25), (30, 5)])
def test_the_more_people_wait_the_less_often_each_is_told(monkeypatch, people, told):
    clock = 0.0

    class Watched:
        state, looks = "running", 0

        @property
        def ended(self):
            return clock >= 10

        def wait(self, seconds):
            nonlocal clock
            clock, self.looks = clock + seconds, self.looks + 1

    job = Watched()
    monkeypatch.setattr(ui_runs, "time", SimpleNamespace(monotonic=lambda: clock))
    times = [clock for _ in ui_runs.looks(job, SimpleNamespace(people=people))]
    assert times[0] == 0
    assert len(times) == pytest.approx(told, abs=1)
    assert job.looks == pytest.approx(10 / ui_runs.LOOK, abs=1), "Stop is heard as soon as ever"
