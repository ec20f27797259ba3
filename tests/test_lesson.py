"""The lesson without a browser: every task can be failed and solved, a link holds things in place, a room leads."""

from dataclasses import replace

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.figures import answer_bars, class_bars, count_bars
from explorer.grid import changed_pixels
from explorer.rooms import Lock
from explorer.rooms.rooms import GONE
from explorer.ui.caches import classifier
from explorer.ui.lesson import checks, keeping
from explorer.ui.lesson.desk import NETWORKS, ORDINARY, SIGNS
from explorer.ui.lesson.explored import asked
from explorer.ui.lesson.plays.defend import FILTERS, WIDTHS, filtered
from explorer.ui.lesson.steps import MINUTES, STEPS
from explorer.ui.rooms import rooms

PAGE = "explorer/views/lesson.py"


def open_lesson(sitting: object = None, **link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    if sitting is not None:
        app.session_state.sitting = sitting
    return app.switch_page(PAGE).run()


def verdict(app: AppTest) -> str:
    assert not app.exception
    (told,) = [each.value for each in (*app.info, *app.success) if each.value.startswith(("**Solved", "**Not yet"))]
    return told


def button(app: AppTest, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


def test_the_lesson_is_one_of_45_minutes_in_seven_whole_steps():
    assert (len(STEPS), MINUTES) == (7, 45)
    for step in STEPS:
        assert all((step.title, step.text.strip(), step.task, step.formula.strip(), step.notes.strip()))
    formulas = "".join(step.formula for step in STEPS)
    assert "width of the normal" in formulas
    assert "threshold of the ReLU" in formulas


def test_what_the_tab_tells_of_solved_steps_is_believed_as_far_as_it_can_be():
    assert keeping.known([1, 3, 7], 7) == {1, 3, 7}
    for junk in (None, "123", {"1": 2}, [0, 8, -1, 1.0, True, "1", [1], None, 10**30]):
        assert keeping.known(junk, 7) == set()


CHANGED = frozenset({(5, 5), (20, 30), (40, 41), (60, 2)})
REPAIRED = checks.Repaired(n_back=2, n_pixels=9, enough=2, true="Stop", seen="Stop", share=0.95)
JUDGED = [  # on the true sign's ground, on the wrong one's: whether it confirms obscuring, leading
    (True, False, True, False),
    (False, True, False, True),
    (True, True, False, False),
    (False, False, False, False),
]


@pytest.mark.parametrize(
    ("check", "solved", "failed"),
    [
        (checks.check_fooled, checks.Fooled({"a": 9, "b": 3}, True), checks.Fooled({"a": 4}, True)),
        (checks.check_fooled, checks.Fooled({"a": 9}, False), checks.Fooled({}, False)),
        (
            checks.check_found,
            checks.Found(CHANGED, ((5, 5), (0, 0), (21, 31), (40, 40))),
            checks.Found(CHANGED, ((5, 5), (5, 6), (4, 4), (22, 30))),
        ),
        (checks.check_found, checks.Found(frozenset({(1, 1)}), ((2, 2),)), checks.Found(frozenset(), ())),
        (checks.check_repaired, REPAIRED, replace(REPAIRED, share=0.6)),
        (checks.check_repaired, replace(REPAIRED, n_back=1), replace(REPAIRED, n_back=3)),
        (checks.check_repaired, REPAIRED, replace(REPAIRED, seen="Yield", share=0.4)),
        (checks.check_predicted, checks.Predicted(True, True), checks.Predicted(True, False)),
        (checks.check_predicted, checks.Predicted(True, True), checks.Predicted(None, True)),
        (checks.check_compared, checks.Compared("Stop 1", 5, 15), checks.Compared("Stop 1", 5, 14)),
        (checks.check_compared, checks.Compared("Stop 1", 5, 14, free=False), checks.Compared("Stop 1", None, 14)),
        (checks.check_defended, checks.Defended(3, 5, 5, 5), checks.Defended(1, 5, 5, 5)),
        (checks.check_defended, checks.Defended(3, 5, 5, 5), checks.Defended(21, 3, 5, 5)),
        (checks.check_defended, checks.Defended(3, 5, 5, 5), checks.Defended(3, 5, 4, 5)),
    ],
)
def test_each_check_can_be_passed_and_failed_and_says_why(check, solved, failed):
    assert check(solved).solved
    assert not check(failed).solved
    assert check(solved).why.endswith(".") or check(solved).why.endswith("?")
    assert check(solved).why != check(failed).why


@pytest.mark.parametrize(("on_true", "on_wrong", "obscuring", "leading"), JUDGED)
def test_the_drawing_confirms_only_where_it_says_something(on_true, on_wrong, obscuring, leading):
    assert checks.check_judged(checks.Judged("obscuring", on_true, on_wrong)).solved == obscuring
    assert checks.check_judged(checks.Judged("leading", on_true, on_wrong)).solved == leading
    assert not checks.check_judged(checks.Judged(None)).solved


def test_what_happened_to_a_count():
    assert [checks.change_of(20, after) for after in (14, 15, 25, 26)] == [checks.CHANGES[i] for i in (0, 1, 1, 2)]


@pytest.mark.parametrize(
    "figure",
    [
        answer_bars(["Stop", "<b>"], [0.999, 0.001], None),
        answer_bars(["Stop", "Yield"], [0.6, 0.4], [1.0, 0.0]),
        count_bars(["few", "many"], [1, 1200], "pixels"),
        class_bars(["1", "2"], [0, 0], [0, 0]),
    ],
)
def test_letters_on_charts_are_large_and_have_no_colour_that_a_page_could_outlive(figure):
    letters = [figure.layout.font, figure.layout.yaxis.tickfont, *(bar.textfont for bar in figure.data)]
    assert all(each.size >= 14 and each.color is None for each in letters)
    assert all("<b>" not in name for bar in figure.data for name in bar.y)
    assert not any(text in ("0 %", "100 %") for bar in figure.data for text in bar.text)


def test_fool_it():
    app = open_lesson()
    assert "press" in verdict(app)
    button(app, "Fool the network").click().run()
    assert verdict(app).startswith("**Not yet.** Fooled, but it took")
    app.session_state.sitting.signs[1] = "no-entry-3"
    app.run()
    button(app, "Fool the network").click().run()
    assert verdict(app).startswith("**Solved.**")
    assert app.session_state.sitting.solved == {1}
    button(app, "Next: Find the pixel").click().run()
    assert app.query_params["step"] == "2"
    assert app.title[0].value == "Find the pixel"


def test_find_the_pixel():
    app = open_lesson(step="2")
    found = asked(classifier(ORDINARY), SIGNS[0])
    changed = [tuple(place) for place in changed_pixels(found.image, found.adversarial).nonzero().tolist()]
    of = f"{ORDINARY} {SIGNS[0]}"
    app.session_state.sitting.clicks[of] = ((0, 0), changed[0])
    app.run()
    assert verdict(app) == "**Not yet.** Yes, that one! 1 of 3 found."
    app.session_state.sitting.clicks[of] += ((0, 0),)
    app.run()
    assert "as it was" in verdict(app)
    app.session_state.sitting.clicks[of] += tuple(changed[1:3])
    app.run()
    assert verdict(app).startswith("**Solved.** 3 of")
    button(app, "Start again").click().run()
    assert verdict(app).startswith("**Not yet.** Point at")
    assert any("solved this step before" in each.value for each in app.caption)


def test_repair_it():
    app = open_lesson(step="3")
    assert "still sees" in verdict(app)
    of = f"{ORDINARY} {SIGNS[0]}"
    n = asked(classifier(ORDINARY), SIGNS[0]).n_pixels
    app.session_state.sitting.back[of] = frozenset(range(n))
    app.run()
    assert verdict(app).startswith(f"**Not yet.** Repaired, but with {n} pixels")
    button(app, "Undo all").click().run()
    assert "still sees" in verdict(app)


def test_predictions_are_made_before_one_sees():
    app = open_lesson(step="4")
    assert not app.get("plotly_chart")
    assert all(each.disabled for each in app.button if each.label.startswith("Lock in"))
    app.radio[0].set_value(checks.CHANGES[0]).run()
    app.button(key=next(each.key for each in app.button if each.label.startswith("Lock in"))).click().run()
    assert "another one than what happened" in verdict(app)
    button(app, "Another question about λ").click().run()
    assert "Still to predict" in verdict(app)
    while True:  # λ = 3 on the second round, and so on, until it is right: each round shows another question
        app.radio[0].set_value(checks.CHANGES[2]).run()
        app.button(key=next(each.key for each in app.button if each.label.startswith("Lock in"))).click().run()
        if "another one" not in verdict(app):
            break
        button(app, "Another question about λ").click().run()
    assert verdict(app).endswith("Still to predict: about the pixel.")
    kinds = ("obscuring", "leading")
    app.radio[0].set_value(kinds[0]).run()
    app.button(key=next(each.key for each in app.button if each.label.startswith("Lock in"))).click().run()
    tries = 0
    while not verdict(app).startswith("**Solved"):
        button(app, "Another pixel").click().run()
        app.radio[0].set_value(kinds[tries % 2]).run()
        app.button(key=next(each.key for each in app.button if each.label.startswith("Lock in"))).click().run()
        tries += 1
        assert tries < 30


def test_the_robust_network():
    app = open_lesson(step="5")
    assert "not 3 times as many" in verdict(app)
    app.session_state.sitting.signs[5] = "roundabout-1"
    app.run()
    assert verdict(app).startswith("**Solved.** Roundabout 1:")


def test_is_the_label_true():
    app = open_lesson(step="6")
    assert "Choose a mark" in verdict(app)
    n = asked(classifier(ORDINARY), SIGNS[0]).n_pixels
    told = []
    for pixel in range(n):
        app.session_state.sitting.judged[f"{ORDINARY} {SIGNS[0]}"] = pixel
        told.append(verdict(app.run()))
    assert any(each.startswith("**Solved") for each in told)
    assert any("disagrees" in each for each in told)
    assert any("says nothing" in each for each in told)


def test_what_defends():
    app = open_lesson(step="7")
    assert "without a filter" in verdict(app)
    app.select_slider(key="filter-width").set_value(3).run()
    assert verdict(app).startswith("**Solved.**")
    app.select_slider(key="filter-width").set_value(21).run()
    assert "Too strong" in verdict(app)


def test_a_link_holds_picture_network_and_controls():
    app = open_lesson(step="5", lock="picture:stop-2,network:signs-vit,hide:notes+formula")
    assert not app.exception
    assert not app.expander
    assert "Stop 2" in verdict(app)
    assert any(each.value == "The sign was chosen for you." for each in app.caption)
    assert [each.label for each in open_lesson(step="5").expander] == [
        "One click deeper: the formula",
        "Teacher's notes (6 minutes)",
    ]


@pytest.mark.parametrize("text", ["picture:mona-lisa", "hide:everything", "***", "step:3", "network:<script>"])
def test_a_lock_that_means_nothing_is_told_and_holds_nothing(text):
    app = open_lesson(lock=text)
    assert not app.exception
    assert len(app.warning) == 1
    assert verdict(app)


@pytest.mark.parametrize("step", ["0", "8", "-1", "two", "1.0", ""])
def test_a_step_that_is_not_there_is_the_first(step):
    app = open_lesson(step=step)
    assert not app.exception
    assert app.title[0].value == STEPS[0].title


def test_every_network_can_be_held_in_place_at_the_first_step():
    for network in NETWORKS:
        app = open_lesson(lock=f"network:{network},picture:no-entry-3")
        button(app, "Fool the network").click().run()
        assert verdict(app)


def test_a_room_leads_the_lesson_and_hears_of_it():
    code, key = rooms().open()
    app = open_lesson(room=code)
    app.text_input(key="join_name").set_value("*Ada* <b>")
    button(app, "Join").click().run()
    assert not app.exception
    assert app.session_state.sitting.joined
    assert app.query_params["room"] == code
    assert [each.label for each in app.expander] == ["One click deeper: the formula"]  # the notes are the teacher's
    rooms().hold(code, key, Lock(step=1, picture="no-entry-3"))
    app.run()
    assert app.segmented_control(key="lesson_step").disabled
    button(app, "Fool the network").click().run()
    button(app, "That is funny: show it to the class").click().run()
    view = rooms().view(code)
    assert view.solved == {1: 1}
    assert [(each.name, each.find.picture, each.find.funny) for each in view.wall] == [
        ("*Ada* <b>", "no-entry-3", True)
    ]
    rooms().hold(code, key, Lock(step=4))
    app.run()
    app.radio[0].set_value(checks.CHANGES[1]).run()
    app.button(key=next(each.key for each in app.button if each.label.startswith("Lock in"))).click().run()
    assert [*rooms().view(code).answers.values()] == [{checks.CHANGES[1]: 1}]
    rooms().end(code, key)
    app.run()
    assert not app.exception
    assert [each.value for each in app.warning] == [GONE]
    assert not app.session_state.sitting.joined


@pytest.mark.parametrize("code", ["XXXXXX", "x", "<script>", "*" * 500])
def test_a_wrong_code_is_one_sentence(code):
    app = open_lesson(room=code)
    assert not app.exception
    assert [each.value for each in app.error] == [GONE]
    assert verdict(app)  # the lesson itself goes on


@pytest.mark.parametrize("kind", FILTERS)
def test_the_filters_of_the_last_step_outvote_or_fade_a_single_pixel(kind):
    image = torch.full((3, 64, 64), 100 / 255)
    image[:, 20, 20] = 1
    for width in WIDTHS:
        assert (width == 1) == (float(filtered(image, kind, width)[0, 20, 20]) == 1)
