"""Rooms: who may do what, what is kept and for how long, and nothing that anybody types breaks them."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.limits import Limits
from explorer.rooms import CONTROLS, Find, Lock, Rooms, draw_code, joining_at, read_code, spelled
from explorer.rooms import address as addresses
from explorer.rooms.codes import ALPHABET
from explorer.rooms.room import FINDS, HERE, NICKNAME
from explorer.rooms.rooms import QUESTIONS, as_nickname

PICTURES = ("stop-1", "yield-2")


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rooms(clock):
    return Rooms(PICTURES, clock)


def test_a_code_is_read_however_it_is_typed():
    code = draw_code()
    for typed in (code, code.lower(), spelled(code), f" {code[:2]}-{code[2:]} "):
        assert read_code(typed) == code
    assert not set("01ILO5S") & set(ALPHABET)
    assert len({draw_code() for _ in range(200)}) == 200


def test_whoever_loads_the_page_anew_is_nobody_else(rooms, clock):
    code, _ = rooms.open()
    token = rooms.join(code, "Ada")
    clock.now += 10 * HERE
    view = rooms.come_back(code, token)
    assert [member.name for member in view.members] == ["Ada"]
    assert (view.joined, view.here) == (1, {1: 1})
    for other in ("", "x" * 12, token + "x"):
        with pytest.raises(ValueError, match="not in this room"):
            rooms.come_back(code, other)
    rooms.leave(code, token)
    with pytest.raises(ValueError, match="not in this room"):
        rooms.come_back(code, token)


@given(st.text())
def test_what_is_no_code_is_none(text):
    assert read_code(text) == "" or set(read_code(text)) <= set(ALPHABET)


def test_a_class_is_counted_step_by_step(rooms, clock):
    code, key = rooms.open()
    ada, ben = rooms.join(code, "Ada"), rooms.join(code.lower())
    rooms.stand(code, ada, 3, {1, 2})
    rooms.stand(code, ben, 2, {1})
    rooms.stand(code, ben, 1)  # going back unsolves nothing
    view = rooms.attend(code, key)
    assert (view.joined, view.here, view.solved) == (2, {3: 1, 1: 1}, {1: 2, 2: 1})
    assert [member.name for member in view.members] == ["Ada", "No. 2"]
    clock.now += HERE + 1
    rooms.stand(code, ben, 1)
    view = rooms.view(code)
    assert (view.here, view.solved) == ({1: 1}, {1: 2, 2: 1})


def test_the_first_answer_counts(rooms):
    code, _ = rooms.open()
    members = [rooms.join(code) for _ in range(3)]
    for member, choice in zip(members, ("more", "more", "fewer"), strict=True):
        rooms.answer(code, member, "lambda", choice)
    rooms.answer(code, members[2], "lambda", "more")
    assert rooms.view(code).answers == {"lambda": {"more": 2, "fewer": 1}}


def test_who_leaves_takes_along_what_was_said_and_makes_room(rooms):
    code, _ = rooms.open()
    for _ in range(2 * Limits().members):
        token = rooms.join(code, "Kim")
        rooms.answer(code, token, "which?", "leading")
        rooms.leave(code, token)
    assert not rooms.view(code).answers.get("which?")
    with pytest.raises(ValueError, match=r"\.$"):
        rooms.answer(code, token, "which?", "leading")


def test_the_wall_keeps_the_best_of_each_picture_the_fewest_first(rooms):
    code, key = rooms.open()
    ada, ben = rooms.join(code, "Ada"), rooms.join(code, "Ben")
    rooms.find(code, ada, Find("stop-1", 9, "Stop", "Yield", funny=True))
    rooms.find(code, ada, Find("stop-1", 12, "Stop", "Yield"))
    rooms.find(code, ada, Find("stop-1", 7, "Stop", "Road works"))
    rooms.find(code, ben, Find("yield-2", 3, "Yield", "Stop"))
    wall = [(each.name, each.find.n_pixels, each.find.funny) for each in rooms.view(code).wall]
    assert wall == [("Ben", 3, False), ("Ada", 7, True)]
    rooms.take_down(code, key, 2, "yield-2")
    assert [each.name for each in rooms.view(code).wall] == ["Ada"]
    with pytest.raises(ValueError, match="come with the app"):
        rooms.find(code, ada, Find("my-face", 1, "a", "b"))


def test_one_member_cannot_fill_the_wall(clock):
    rooms = Rooms([f"sign-{n}" for n in range(50)], clock)
    code, _ = rooms.open()
    member = rooms.join(code)
    for n in range(50):
        rooms.find(code, member, Find(f"sign-{n}", n, "Stop", "Yield"))
    assert len(rooms.view(code).wall) == FINDS


def test_only_the_key_teaches(rooms):
    code, key = rooms.open()
    _, other = rooms.open()
    student = rooms.join(code, "rude name")
    for wrong in ("", code, student, other, key + "x", "ключ", "\ud800"):
        for deed in (
            lambda wrong=wrong: rooms.hold(code, wrong, Lock(step=2)),
            lambda wrong=wrong: rooms.end(code, wrong),
            lambda wrong=wrong: rooms.hide_name(code, wrong, 1),
            lambda wrong=wrong: rooms.take_down(code, wrong, 1, "stop-1"),
            lambda wrong=wrong: rooms.attend(code, wrong),
        ):
            with pytest.raises(ValueError, match="not the teacher's key"):
                deed()
    assert rooms.view(code).lock == Lock()
    rooms.hold(code, key, Lock(step=2))
    rooms.hide_name(code, key, 1)
    view = rooms.stand(code, student, 1)
    assert view.lock == Lock(step=2)
    assert [each.name for each in view.members] == ["No. 1"]


def test_an_ended_room_is_gone_with_all_it_knew(rooms):
    code, key = rooms.open()
    member = rooms.join(code)
    rooms.end(code, key)
    for deed in (
        lambda: rooms.view(code),
        lambda: rooms.join(code),
        lambda: rooms.stand(code, member, 1),
        lambda: rooms.end(code, key),
    ):
        with pytest.raises(ValueError, match="Ask your teacher"):
            deed()


def test_rooms_end_by_themselves(rooms, clock):
    quiet, _ = rooms.open()
    clock.now += 60 * Limits().silent_minutes - 1
    rooms.view(quiet)  # looking is no sign of life
    long, key = rooms.open()
    clock.now += 2
    with pytest.raises(ValueError, match="Ask your teacher"):
        rooms.view(quiet)
    until = clock.now + 60 * Limits().room_minutes - 10
    while clock.now < until:
        rooms.attend(long, key)
        clock.now += 30 * Limits().silent_minutes
    clock.now += 20
    with pytest.raises(ValueError, match="Ask your teacher"):
        rooms.attend(long, key)


def test_there_is_a_limit_to_rooms_members_and_questions(rooms, clock):
    codes = [rooms.open() for _ in range(Limits().rooms)]
    with pytest.raises(ValueError, match="rooms are open already"):
        rooms.open()
    rooms.end(*codes[0])
    code, _ = rooms.open()
    members = [rooms.join(code) for _ in range(Limits().members)]
    with pytest.raises(ValueError, match="full"):
        rooms.join(code)
    clock.now += 120
    for member in members[1:]:
        rooms.stand(code, member, 1)
    newest = rooms.join(code)  # in the place of the one who has been silent
    with pytest.raises(ValueError, match="join again"):
        rooms.stand(code, members[0], 1)
    for number in range(QUESTIONS):
        rooms.answer(code, newest, f"question {number}", "yes")
    with pytest.raises(ValueError, match="questions at most"):
        rooms.answer(code, newest, "one more", "yes")
    with pytest.raises(ValueError, match="characters"):
        rooms.answer(code, newest, "question 0", "y" * 1000)


@given(st.text(max_size=300))
def test_a_nickname_is_one_short_printable_line(text):
    name = as_nickname(text)
    assert len(name) <= NICKNAME
    assert name.isprintable()
    assert name == name.strip()
    assert as_nickname(name) == name


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["join", "stand", "answer", "find", "hold", "hide", "end"]),
            st.integers(0, 5),
            st.text(max_size=80),
            st.integers(-3, 9),
        ),
        max_size=60,
    )
)
def test_whatever_is_typed_is_done_or_refused_in_one_sentence(deeds):
    rooms = Rooms(PICTURES)
    code, key = rooms.open()
    tokens, told = ["nobody"], []
    for deed, who, text, number in deeds:
        token = tokens[who % len(tokens)]
        try:
            match deed:
                case "join":
                    tokens.append(rooms.join(code if number else text, text))
                case "stand":
                    rooms.stand(code, token, number, {number})
                case "answer":
                    rooms.answer(code, token, text, text[::-1])
                case "find":
                    rooms.find(code, token, Find(PICTURES[who % 2] if number else text, number, text, text))
                case "hold":
                    rooms.hold(code, text, Lock(step=number))
                case "hide":
                    rooms.hide_name(code, key, number)
                case "end":
                    rooms.end(code, text)
        except ValueError as error:
            told.append(str(error))
    assert not any("\n" in each for each in told)
    view = rooms.attend(code, key)
    assert view.lock == Lock()
    assert sum(view.here.values()) == len(view.members) == view.joined == len(tokens) - 1
    assert all(len(member.name) <= NICKNAME for member in view.members)


def test_many_at_once_lose_nothing(rooms):
    code, _ = rooms.open()

    def attend() -> None:
        token = rooms.join(code)
        for round_ in range(20):
            rooms.stand(code, token, 1 + round_ % 7, {round_ % 7})
            rooms.answer(code, token, "lambda", "more")

    threads = [threading.Thread(target=attend) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    view = rooms.view(code)
    assert view.joined == 40
    assert view.answers == {"lambda": {"more": 40}}
    assert view.solved == dict.fromkeys(range(7), 40)


locks = st.builds(
    Lock,
    picture=st.sampled_from(["", *PICTURES]),
    network=st.sampled_from(["", "signs-resnet"]),
    hidden=st.frozensets(st.sampled_from([*CONTROLS])),
)


@given(locks)
def test_a_lock_goes_into_a_link_and_back(lock):
    assert Lock.parse(lock.text(), PICTURES, ["signs-resnet"]) == (lock, ())


@given(st.text(), locks)
def test_a_bad_lock_holds_nothing_that_is_not_there(text, lock):
    parsed, _ = Lock.parse(text, PICTURES, ["signs-resnet"])
    assert parsed.picture in ("", *PICTURES)
    assert parsed.hidden <= set(CONTROLS)
    assert lock.under(parsed).hidden >= lock.hidden


def test_what_a_link_s_lock_does_not_know_is_told():
    lock, unknown = Lock.parse("picture:mona-lisa,hide:notes,hide:all,colour:red", PICTURES, [])
    assert lock == Lock(hidden=frozenset({"notes"}))
    assert unknown == ("picture:mona-lisa", "hide:all", "colour:red")
    assert Lock(1, "stop-1").under(Lock(2, "", "signs-resnet")) == Lock(2, "stop-1", "signs-resnet")


def test_the_address_is_one_that_others_can_open(monkeypatch):
    monkeypatch.setattr(addresses, "lan_addresses", lambda: ["192.168.1.7"])
    assert joining_at("http://10.0.0.5:9000/room", "127.0.0.1", 8501).url == "http://10.0.0.5:9000"
    assert joining_at("https://class.example/room", None, 8501).url == "https://class.example"
    for listens in (None, "", "0.0.0.0", "::"):
        place = joining_at("http://localhost:8501/room", listens, 8501)
        assert (place.url, place.shared) == ("http://192.168.1.7:8501", True)
    assert joining_at("", "192.168.1.9", 8501).url == "http://192.168.1.9:8501"
    assert joining_at("", "fd00::9", 8501).url == "http://[fd00::9]:8501"
    for only_here in ("127.0.0.1", "localhost", "::1"):
        assert not joining_at(f"http://{'localhost'}:8501", only_here, 8501).shared
    monkeypatch.setattr(addresses, "lan_addresses", lambda: [])
    assert not joining_at("http://localhost:8501", None, 8501).shared
