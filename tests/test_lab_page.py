"""The slider laboratory on Explore, without a browser: curves, ghost, advice, and what stands there at once."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer import SparseAttack
from explorer.ui import advice, runs
from explorer.ui.caches import answers
from explorer.ui.responses import curves
from tests.app_page import button, labels, open_page, problems, shown, story


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """However slow this machine is, a run begins by itself."""
    monkeypatch.setattr(runs, "PATIENCE", 1e9)
    monkeypatch.setattr(runs, "UNASKED", 1e9)


def open_default(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_the_first_screen_and_its_curves_stand_without_a_single_run(monkeypatch):
    answers.clear()
    curves.clear()
    monkeypatch.setattr(SparseAttack, "__call__", lambda *_args, **_more: pytest.fail("it attacked"))
    app = open_default()
    assert problems(app) == []
    assert re.fullmatch(r"Stop, .* by \d+ of 4,096 pixels", story(app))
    assert "came with the app" in captions(app)
    assert app.session_state.session.shown.true_label is not None
    assert captions(app).count("The fewest, ") == 3
    assert not [label for label in labels(app) if label.startswith("Measure ")]
    app.segmented_control(key="stage_choice").set_value("optimised").run()
    assert problems(app) == []
    assert not re.search(r"by 12 of", story(app)), "the stage before, of the same run"


def test_a_turned_slider_keeps_its_own_curve_and_the_others_are_measured_when_asked_for():
    app = open_default(steps="20", polish="false")
    assert "not been measured" in captions(app)
    (label,) = [label for label in labels(app) if label.startswith("Measure ")]
    assert label.startswith("Measure a, λ and τ around here: 26 runs")
    button(app, label).click().run()
    assert problems(app) == []
    assert captions(app).count("The fewest, ") == 3
    app.select_slider(key="lam").set_value(0.5).run()
    assert captions(app).count("The fewest, ") == 1, "λ's own"
    (label,) = [label for label in labels(app) if label.startswith("Measure ")]
    assert label.startswith("Measure a and τ around here")
    app.toggle(key="curves_always").set_value(True).run()
    assert problems(app) == []
    assert captions(app).count("The fewest, ") == 3


def test_what_goes_badly_gets_a_button_whose_setting_does_better(monkeypatch):
    monkeypatch.setattr(advice, "UNASKED", 1e9)
    app = open_default(steps="40", prune="false", polish="false", lam="10.0")
    before = int(re.search(r"([\d,]+) of 4,096", story(app)).group(1).replace(",", ""))
    (label,) = [label for label in labels(app) if label.startswith("Try ")]
    (told,) = [shown(each.value) for each in app.warning if "instead of" in each.value]
    promised = int(re.search(r"leaves ([\d,]+) pixels", told).group(1).replace(",", ""))
    button(app, label).click().run()
    assert problems(app) == []
    after = int(re.search(r"([\d,]+) of 4,096", story(app)).group(1).replace(",", ""))
    assert after < before
    assert abs(after - promised) <= 1


def test_long_trials_wait_for_a_click(monkeypatch):
    monkeypatch.setattr(advice, "UNASKED", 0.0)
    app = open_default(steps="21", prune="false", polish="false", lam="10.0")
    (label,) = [label for label in labels(app) if label.startswith("Look for a setting")]
    assert not [each for each in labels(app) if each.startswith("Try ")]
    button(app, label).click().run()
    assert problems(app) == []
    assert [each for each in labels(app) if each.startswith("Try ")]


def test_the_run_before_is_kept_as_a_ghost_until_the_picture_changes():
    app = open_page(prune="false")
    assert app.session_state["ghost_before"] is None
    first = app.session_state.session.shown
    app.select_slider(key="lam").set_value(0.1).run()
    assert app.session_state["ghost_before"] is first
    app.selectbox(key="method").set_value("saliency").run()
    assert app.session_state["ghost_before"] is first, "the same run, labelled in another way"
    app.query_params["picture"] = "yield-1"
    app.run()
    assert problems(app) == []
    assert app.session_state["ghost_before"] is None


def test_until_there_is_a_picture_of_ones_own_the_other_one_is_marked():
    app = open_page()
    assert not [each for each in app.markdown if "not your picture" in each.value]
    app.segmented_control(key="source").set_value("Upload").run()
    assert [each for each in app.markdown if "not your picture" in each.value]


def test_the_film_plays_once_in_a_visit(monkeypatch):
    films = []
    monkeypatch.setattr("explorer.ui.known._thinned", films.append)
    app = open_default()
    assert (problems(app), len(films)) == ([], 1)
    app.run()
    app.segmented_control(key="stage_choice").set_value("pruned").run()
    assert len(films) == 1
    open_default(lam="0.5")
    assert len(films) == 1, "no film of other settings came with the app"
