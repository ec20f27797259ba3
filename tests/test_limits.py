"""What an operator can set: by name, whole numbers in their range, and one sentence for all else."""

import pytest
from app_page import open_page
from hypothesis import given
from hypothesis import strategies as st

from explorer.knobs import knobs
from explorer.limits import PREFIX, Limits, variable
from explorer.ui import server

NAMES = [*knobs(Limits)]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_read_from_its_variable_and_the_others_stay(name):
    knob = knobs(Limits)[name]
    for number in (int(knob.low), int(knob.high)):
        found = Limits.read({variable(name): str(number), "EXPLORER_RUNS": "elsewhere", "PATH": "x"})
        assert getattr(found, name) == number
        assert [each for each in NAMES if getattr(found, each) != getattr(Limits(), each)] in ([name], [])


@given(st.sampled_from(NAMES), st.text(max_size=60) | st.integers().map(str) | st.floats().map(str))
def test_a_bad_value_is_one_sentence(name, text):
    knob = knobs(Limits)[name]
    try:
        found = getattr(Limits.read({variable(name): text}), name)
    except ValueError as error:
        told = str(error)
        assert told.startswith(f"{variable(name)} is a whole number from {knob.low} to {knob.high}; got ")
        assert "\n" not in told
        assert len(told) < 400
    else:
        assert knob.low <= found <= knob.high
        assert found == int(text)


def test_a_name_that_is_none_of_them_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=f"no limit called {PREFIX}PICTURE: there are {PREFIX}PICTURES, "):
        Limits.read({f"{PREFIX}PICTURE": "3"})


def test_the_page_says_what_is_wrong_and_shows_nothing_else(monkeypatch):
    def check() -> None:
        raise ValueError("EXPLORER_MAX_ROOMS is a whole number from 0 to 1000; got 'many'.")

    monkeypatch.setattr(server, "check_settings", check)
    app = open_page()
    assert [each.value for each in app.error] == ["EXPLORER_MAX_ROOMS is a whole number from 0 to 1000; got 'many'."]
    assert not app.exception
    assert not app.slider
