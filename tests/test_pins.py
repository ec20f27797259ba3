"""Pinned results side by side: what differs in settings and in pixels; the visit's runs."""

import dataclasses

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.attacks import Greedy, SparseAttack
from explorer.pipeline import explore
from explorer.pipeline.differences import differing_settings, shared_pixels
from explorer.ui.pins import KEPT, History
from tests.app_page import button, open_page
from tests.halves import halves, picture


@pytest.fixture(scope="module")
def found():
    return explore(halves(), picture(20), SparseAttack(steps=8, polish=False))


def test_a_result_beside_itself_differs_in_nothing(found):
    assert differing_settings(found, found) == []
    shared = shared_pixels(found, found)
    assert (shared.only_first, shared.only_second) == (0, 0)
    assert shared.shared == shared.same_colour == shared.labelled == shared.same_kind == found.n_pixels


def test_settings_that_differ_are_named(found):
    other = explore(halves(), picture(20), Greedy(steps=5), target=1)
    rows = {name: (one, two) for name, one, two in differing_settings(found, other)}
    assert rows["attack"] == (SparseAttack.title, Greedy.title)
    assert rows["target"] == ("any wrong class", "Bottom")
    assert rows["λ · weight of sparsity"] == (1.0, None)
    assert "picture" not in rows
    assert ("picture", "one", "another") in differing_settings(found, explore(halves(), picture(9), found.attack))


def test_pixels_in_common_are_counted_by_hand(found):
    image = torch.full((3, 6, 6), 100 / 255)
    one, two = image.clone(), image.clone()
    one[:, 0, 0] = one[:, 1, 1] = one[:, 2, 2] = 1.0
    two[:, 0, 0], two[:, 1, 1], two[:, 5, 5] = 1.0, 0.0, 1.0
    first, second = (dataclasses.replace(found, image=image, adversarial=each, evidence=None) for each in (one, two))
    shared = shared_pixels(first, second)
    assert (shared.shared, shared.only_first, shared.only_second, shared.same_colour) == (2, 1, 1, 1)
    assert shared.labelled == shared.same_kind == 0
    small = dataclasses.replace(found, image=image[:, :5], adversarial=one[:, :5])
    assert shared_pixels(first, small) is None


def test_a_visit_keeps_its_newest_runs_and_the_pinned_ones(found):
    history, results = History(), [dataclasses.replace(found) for _ in range(KEPT + 5)]
    first = history.add(results[0], "a")
    history.pin(first.number)
    for each in results:
        history.add(each, "b")
    assert history.add(results[-1], "again") is history.runs[KEPT + 5], "each once"
    assert [*history.runs] == [1, *range(KEPT + 5 - KEPT + 2, KEPT + 6)]
    history.pin(7)
    history.pin(8)
    assert history.pinned == [7, 8]


def test_the_button_pins_what_is_shown_and_two_stand_side_by_side():
    app = opened(open_page())
    button(app, "Pin this result").click()
    opened(app)
    assert not app.exception
    assert app.session_state["history"].pinned == [1]
    assert app.multiselect(key="pinned").value == [1]
    app.slider(key="steps").set_value(40)
    opened(app)
    button(app, "Pin this result").click()
    opened(app)
    assert not app.exception
    assert app.multiselect(key="pinned").value == [1, 2]
    told = " ".join(each.value for each in app.markdown)
    assert "changed pixels are in both" in told
    app.multiselect(key="pinned").set_value([2])
    opened(app)
    assert app.session_state["history"].pinned == [2]
    app.run()
    assert app.session_state["history"].pinned == [2], "also while nobody looks"


def opened(app: AppTest) -> AppTest:
    """The next run of the page, with that section open."""
    app.session_state["pins"] = True
    return app.run()
