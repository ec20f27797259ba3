"""The room's page without a browser: two doors, what the teacher sees, and nothing that a student types is markup."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from explorer.rooms import Entry, Find, Lock
from explorer.rooms.rooms import GONE
from explorer.ui.room import wall
from explorer.ui.room.teach import qr
from explorer.ui.rooms import rooms

PAGE = "explorer/views/room.py"


def open_room(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.switch_page(PAGE).run()


def button(app: AppTest, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


def taught() -> tuple[AppTest, str, str]:
    app = open_room()
    button(app, "Open a room").click().run()
    assert not app.exception
    return app, *app.session_state.sitting.taught


def values(app: AppTest) -> str:
    return "\n".join(str(each.value) for each in (*app.markdown, *app.caption, *app.warning, *app.metric))


def test_the_teacher_opens_leads_and_ends_a_room():
    app, code, key = taught()
    assert "serve --share" in values(app)  # it listens on this computer only
    member = rooms().join(code, "Ada")
    rooms().stand(code, member, 3, {1})
    app.run()
    assert [each.value for each in app.metric] == ["1", "1"]
    app.selectbox(key="hold_step").set_value(3).run()
    app.selectbox(key="hold_picture").set_value("stop-2").run()
    app.selectbox(key="hold_network").set_value("signs-robust").run()
    app.button_group(key="hold_seen").set_value(["signs", "network", "blink", "formula"]).run()
    assert not app.exception
    assert rooms().view(code).lock == Lock(3, "stop-2", "signs-robust", frozenset({"notes"}))
    assert "lesson?step=3&lock=picture:stop-2,network:signs-robust,hide:notes" in values(app)
    button(app, "End it now").click().run()
    assert not app.exception
    with pytest.raises(ValueError, match="ended"):
        rooms().view(code)
    assert button(app, "Open a room")
    assert key


def test_a_teacher_comes_back_with_the_key_only():
    _, code, key = taught()
    app = open_room()
    app.text_input(key="return_code").set_value(code.lower())
    app.text_input(key="return_key").set_value("guess")
    button(app, "Come back").click().run()
    assert [each.value for each in app.error] == ["This is not the teacher's key of this room."]
    app.text_input(key="return_code").set_value(code.lower())
    app.text_input(key="return_key").set_value(key)
    button(app, "Come back").click().run()
    assert app.session_state.sitting.taught == (code, key)
    assert app.metric


def test_a_teacher_whose_page_is_loaded_anew_is_asked_for_the_key():
    app, code, key = taught()
    assert app.query_params["teach"] in (code, [code])
    again = open_room(teach=code)
    assert any("goes on" in each.value for each in again.info)
    assert again.text_input(key="return_code").value == code
    again.text_input(key="return_key").set_value(key)
    button(again, "Come back").click().run()
    assert again.session_state.sitting.taught == (code, key)


@pytest.mark.parametrize("how", ["the app is started again", "the time is over"])
def test_a_teacher_is_told_that_the_room_is_gone_and_opens_a_new_one(how):
    app, code, key = taught()
    rooms().end(code, key)
    app = open_room(teach=code) if how == "the app is started again" else app.run()
    assert not app.exception
    (told,) = [each.value for each in app.warning]
    assert f"The room {code} is gone" in told
    assert "the app was started again" in told
    button(app, "Open a room").click().run()
    assert app.session_state.sitting.taught[0] not in ("", code)
    assert not [each for each in app.warning if "is gone" in each.value]


@given(st.text(max_size=20))
@settings(max_examples=5, deadline=None)
def test_any_code_of_a_teachers_link_is_text(code):
    app = open_room(teach=code)
    assert not app.exception


def test_names_and_finds_can_be_taken_down():
    app, code, _ = taught()
    member = rooms().join(code, "rude")
    rooms().find(code, member, Find("stop-1", 4, "Stop", "Yield"))
    app.run()
    app.selectbox(key="hide_number").set_value(1).run()
    app.button(key="hide").click().run()
    assert [each.name for each in rooms().view(code).wall] == ["No. 1"]
    app.selectbox(key="off_entry").set_value((1, "stop-1")).run()
    app.button(key="take-off").click().run()
    assert rooms().view(code).wall == ()


def test_of_two_of_one_name_the_one_that_is_meant_is_taken_down():
    app, code, _ = taught()
    for _ in range(2):
        rooms().find(code, rooms().join(code, "Ada"), Find("stop-1", 4, "Stop", "Yield"))
    app.run()
    for key in ("hide_number", "off_entry"):
        assert len({*app.selectbox(key=key).options}) == 2
    app.selectbox(key="off_entry").set_value((2, "stop-1")).run()
    app.button(key="take-off").click().run()
    assert [each.member for each in rooms().view(code).wall] == [1]
    app.selectbox(key="hide_number").set_value(2).run()
    app.button(key="hide").click().run()
    assert [each.hidden for each in rooms().view(code).members] == [False, True]


def test_a_student_joins_with_a_code_and_sees_the_class():
    _, code, key = taught()
    app = open_room()
    app.text_input(key="join_code").set_value("nonsense")
    button(app, "Join").click().run()
    assert [each.value for each in app.error] == [GONE]
    app.text_input(key="join_code").set_value(f"{code[:3]} {code[3:]}".lower())
    button(app, "Join").click().run()
    assert not app.exception
    assert app.title[0].value == "Fool it"
    app.switch_page(PAGE).run()
    assert "Where the class stands" in values(app)
    button(app, "Leave the room").click().run()
    assert not app.session_state.sitting.joined
    assert key not in values(app)


@pytest.mark.parametrize("code", ["XXXXXX", "<img src=x>", "", "é" * 300])
def test_a_link_to_no_room_is_one_sentence(code):
    app = open_room(room=code)
    assert not app.exception
    assert [each.value for each in app.error] == ([GONE] if code else [])
    assert button(app, "Open a room"), "and there is a way on"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_what_a_student_typed_is_text_on_the_wall(name, flip):
    card = wall._card(Entry(Find("stop-1", 1, "Stop", flip), 1, name))
    assert html.escape(name) in card
    assert html.escape(flip) in card
    inside = card.split("<figcaption>")[1]
    assert inside.count("<") == 8  # the app's own: b, br, br, i, figcaption, figure, opened and closed


def test_the_qr_code_is_a_picture_with_a_white_ground():
    url = qr("http://192.168.1.7:8501/room?room=ABCDEF")
    assert url.startswith("data:image/svg+xml;base64,")
    assert qr("http://192.168.1.7:8501/room?room=ABCDEG") != url


def test_a_room_that_has_ended_meanwhile_is_told_when_something_is_held():
    app, code, key = taught()
    rooms().end(code, key)
    app.selectbox(key="hold_step").set_value(3).run()
    assert not app.exception
    assert "is gone" in values(app)
