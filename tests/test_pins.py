"""Pinned results side by side: what differs in settings and in pixels; the visit's runs."""

import dataclasses

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.attacks import Greedy, SparseAttack
from explorer.pipeline import explore
from explorer.pipeline.differences import differing_settings, shared_pixels
from explorer.ui.caches import Question
from explorer.ui.history import KEPT, History
from tests.app_page import button, open_page, png, problems, shown, story
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
    asked = Question("picture", "network", SparseAttack(), None, "integrated_gradients", None, results[0].image)
    first = history.add(results[0], "a", asked, "signs-resnet")
    history.pin(first.number)
    for each in results:
        history.add(each, "b", asked, "signs-resnet")
    assert history.add(results[-1], "again", asked, "signs-resnet") is history.runs[KEPT + 5], "each once"
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


def test_a_click_opens_an_earlier_run_as_it_was():
    app = opened(open_page())
    before, link = state(app), dict(app.query_params)
    assert app.button(key="reopen-1").disabled
    app.query_params["network"] = "signs-vit"
    app.query_params["picture"] = "yield-2"
    app.query_params["attack"] = "greedy"
    opened(app)
    app.selectbox(key="target").set_value("Stop")
    opened(app)
    assert state(app)["network"] == "signs-vit"
    assert len(app.session_state["history"].runs) == 3
    later = state(app)
    for number, then in ((1, before), (3, later), (1, before)):
        app.button(key=f"reopen-{number}").click()
        opened(app)
        assert problems(app) == []
        assert state(app) == then
        assert app.button(key=f"reopen-{number}").disabled
    assert dict(app.query_params) == link
    assert len(app.session_state["history"].runs) == 3, "nothing was attacked again"
    app.slider(key="steps").set_value(20)
    opened(app)
    assert problems(app) == []
    assert len(app.session_state["history"].runs) == 4


def test_a_run_of_an_upload_opens_again_also_after_the_file_is_gone():
    app = open_page(picture="upload")
    app.get("file_uploader")[0].set_value([("mine.png", png(), "image/png")])
    opened(app)
    first, before = app.session_state["session"].shown, state(app)
    app.slider(key="steps").set_value(20)
    opened(app)
    number = max(app.session_state["history"].runs)
    app.button(key=f"reopen-{number - 1}").click()
    opened(app)
    assert state(app) == before
    app.get("file_uploader")[0].set_value(None)
    app.get("segmented_control")[0].set_value("Road signs")
    opened(app)
    app.button(key=f"reopen-{number - 1}").click()
    opened(app)
    assert problems(app) == []
    assert app.session_state["session"].shown is first
    assert "Brought along from another page" in " ".join(shown(each.value).replace("*", "") for each in app.caption)


def test_a_run_of_a_network_that_was_replaced_is_not_offered():
    app = opened(open_page())
    run = app.session_state["history"].runs[1]
    app.session_state["history"].runs[0] = dataclasses.replace(run, number=0, network="upload")
    opened(app)
    assert app.button(key="reopen-0").disabled


def state(app: AppTest) -> dict[str, object]:
    """What is shown, and what the controls say."""
    each = app.session_state["session"].shown
    return {
        "exploration": id(each),
        "network": each.network,
        "story": story(app),
        "attack": app.selectbox(key="attack_choice").value,
        "target": app.selectbox(key="target").value,
        "source": app.session_state["source"],
    }
