"""Pages are made one after another: who has no pictures yet comes first, and nobody waits long."""

import threading
import time

import explorer.ui.turns
from explorer.ui.turns import Turns


def together(*pages):
    """Run each in a thread of its own, started one after another, and wait for all."""
    threads = [threading.Thread(target=page) for page in pages]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_pages_are_made_one_after_another_in_the_order_in_which_they_came():
    turns, order, inside, most = Turns(places=1, patience=10), [], 0, 0

    def page(name):
        nonlocal inside, most
        with turns.place():
            inside += 1
            most = max(most, inside)
            time.sleep(0.2)
            inside -= 1
            order.append(name)

    together(*(lambda name=name: page(name) for name in range(4)))
    assert most == 1
    assert order == [0, 1, 2, 3]


def test_while_a_browser_draws_its_first_pictures_others_are_served(monkeypatch):
    monkeypatch.setattr(explorer.ui.turns, "PAUSE", 0.3)
    turns, told = Turns(places=1, patience=10), []

    def first():
        with turns.place():
            told.append("pictures")
            turns.give_way(pause=True)
            told.append("charts")

    def second():
        with turns.place():
            told.append("another's page")

    together(first, second)
    assert told == ["pictures", "another's page", "charts"]


def test_who_has_its_pictures_gives_way_to_those_who_have_none():
    turns, told = Turns(places=1, patience=10), []

    def page(name):
        with turns.place():
            time.sleep(0.3)
            told.append(("pictures", name))
            turns.give_way()
            told.append(("rest", name))

    together(*(lambda name=name: page(name) for name in range(3)))
    assert told[:3] == [("pictures", name) for name in range(3)]
    assert sorted(told[3:]) == [("rest", name) for name in range(3)]


def test_a_page_that_waits_for_something_leaves_its_place():
    turns, done, waiting = Turns(places=1, patience=10), threading.Event(), threading.Event()

    def waits():
        with turns.place(), turns.away():
            waiting.set()
            assert done.wait(5)

    def other():
        assert waiting.wait(5)
        with turns.place():
            done.set()

    together(waits, other)


def test_a_page_that_takes_long_holds_nobody_up_for_longer_than_the_patience():
    turns, go_on, entered = Turns(places=1, patience=0.2), threading.Event(), threading.Event()

    def long():
        with turns.place():
            assert go_on.wait(5), "it waits for what the other one does"

    def other():
        with turns.place():
            entered.set()
            go_on.set()

    started = time.monotonic()
    together(long, other)
    assert entered.is_set()
    assert time.monotonic() - started < 4
    with turns.place():  # and all places are free again
        pass


def test_a_page_that_fails_leaves_its_place():
    turns = Turns(places=1, patience=10)
    for _ in range(2):
        started = time.monotonic()
        try:
            with turns.place():
                raise ZeroDivisionError
        except ZeroDivisionError:
            assert time.monotonic() - started < 5
    turns.give_way()  # nobody is there, and this thread has no place: nothing happens
    with turns.away():
        pass
