"""The games without a browser: the network judges, the score counts, painting keeps to its budget, nobody waits."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs import queue_for
from explorer.locks import exclusive
from explorer.pipeline import Exploration, Painting
from explorer.samples import find_sample
from explorer.ui.caches import answers, classifier
from explorer.ui.games.beat import COLOURS
from explorer.ui.games.kinds import ROUNDS, riddle_of
from explorer.ui.lesson.desk import ORDINARY, SIGNS
from explorer.ui.lesson.explored import asked
from explorer.ui.lesson.sitting import Quiz

PAGE = "explorer/views/games.py"
BEATEN = "speed-limit-50-2"
STROKE = [(row, 23) for row in range(20, 28)]  # in black, it makes the network see another speed limit


def open_games(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.switch_page(PAGE).run()


def metrics(app: AppTest) -> list[str]:
    """Round, score, and how many in a row."""
    return [
        each.value.split("**")[1] for each in app.markdown if each.value.startswith(("Round **", "Score", "In a row"))
    ]


def test_ten_rounds_with_the_network_as_judge():
    app = open_games()
    assert not app.exception
    assert metrics(app) == ["1 of 10", "0 of 0", "0"]
    right = 0
    for number in range(ROUNDS):
        quiz = app.session_state.sitting.quiz
        sign, exploration, riddle = riddle_of(classifier(ORDINARY), quiz, number)
        pixel = exploration.evidence.pixels[riddle.pixel]
        assert not pixel.weak
        assert riddle.kind == pixel.reversal_kind
        guess = riddle.kind if number % 4 else {"obscuring": "leading", "leading": "obscuring"}[riddle.kind]
        app.button(key=f"guess-{guess}").click().run()
        assert not app.exception
        right += guess == riddle.kind
        said = (app.success if guess == riddle.kind else app.warning)[0].value
        assert riddle.kind in said
        assert metrics(app) == [f"{number + 1} of 10", f"{right} of {number + 1}", str(number % 4)]
        assert sign.replace("-", " ").capitalize() in "".join(each.value for each in app.markdown)
        app.button(key="next-round").click().run()
    assert f"{right} of {ROUNDS} right" in app.success[0].value
    app.button(key="play-again").click().run()
    assert metrics(app) == ["1 of 10", "0 of 0", "0"]


def test_a_streak_ends_with_a_mistake():
    assert [Quiz(0, rights).streak for rights in ([], [True], [True, False], [False, True, True])] == [0, 1, 0, 2]


def test_signs_come_in_another_order_in_another_game():
    first = {riddle_of(classifier(ORDINARY), Quiz(seed), 0)[0] for seed in range(12)}
    assert len(first) > 1
    assert first <= {*SIGNS}


def test_painting_by_hand_can_beat_the_network():
    app = open_games(game="beat")
    assert not app.exception
    assert "**Not fooled yet.** 40 of 40" in app.info[0].value
    of, sitting = f"{ORDINARY} {BEATEN}", app.session_state.sitting
    sitting.signs[0] = BEATEN
    sitting.paintings[of] = Painting(find_sample(BEATEN).image).painted(STROKE, (0, 0, 0), 40)
    attack = asked(classifier(ORDINARY), BEATEN)  # found already, or still at work
    assert isinstance(attack, Exploration) or attack.wait(60)
    app.run()
    assert app.success[0].value.startswith("**Fooled, with 8 pixels.**")
    assert any("The attack needs **2 pixels**" in each.value for each in app.markdown)
    app.button(key="beat-undo").click().run()
    assert "40 of 40 pixels are left" in app.info[0].value
    assert any(each.value == "Your best on this sign: 8 pixels." for each in app.caption)
    assert app.button(key="beat-clear").disabled


def test_a_full_budget_is_said():
    app = open_games(game="beat")
    app.select_slider(key="beat-budget").set_value(5).run()
    of, sitting = f"{ORDINARY} {SIGNS[0]}", app.session_state.sitting
    sitting.signs[0] = SIGNS[0]
    sitting.paintings[of] = Painting(find_sample(SIGNS[0]).image).painted(STROKE, (0, 0, 0), 5)
    app.run()
    assert "all 5 pixels are used" in app.info[0].value


def test_every_colour_is_one():
    app = open_games(game="beat")
    for name in [*COLOURS, "another"]:
        app.segmented_control(key="beat-colour").set_value(name).run()
        assert not app.exception


def test_the_answer_waits_for_no_other_visitor_s_attack():
    open_games(game="beat")  # all is loaded
    clf, free, held = classifier(ORDINARY), threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(clf):
            held.set()
            free.wait(60)

    answers()._kept.clear()
    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    try:
        app = open_games(game="beat")
        assert not app.exception
        assert "Not fooled yet" in app.info[0].value
        assert any("still at work" in each.value for each in app.caption)
    finally:
        free.set()
        other.join()
        queue_for(str(clf.device)).abandon(60)


@pytest.mark.parametrize("name", ["", "chess", "**"])
def test_a_game_that_is_not_there_is_the_first(name):
    app = open_games(game=name)
    assert not app.exception
    assert app.title[0].value == "Obscuring or leading?"
