"""Garbage is collected now and then: what refers to itself is let go, and pages are not held up each time."""

import gc
import time
import weakref

import pytest

from explorer.ui import garbage


class Circle:
    """It refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def every(monkeypatch):
    """Collections come within so many seconds."""
    gc.disable()  # nobody else collects
    monkeypatch.setattr(garbage, "EVERY", 0.5)
    monkeypatch.setattr(garbage, "_coming", None)
    yield 0.5
    gc.enable()


def gone(left, seconds):
    until = time.monotonic() + seconds
    while left() is not None and time.monotonic() < until:
        time.sleep(0.02)
    return left() is None


def test_what_was_left_is_let_go_in_time_though_nobody_comes_again(every):
    left = weakref.ref(Circle())
    garbage.collect_soon()
    assert left() is not None, "not at once: no page waits for it"
    assert gone(left, 20 * every)
    left = weakref.ref(Circle())
    assert not gone(left, 2 * every), "not again, as nobody was there"
    garbage.collect_soon()
    assert gone(left, 20 * every)


def test_many_who_come_at_once_are_collected_for_once(every, monkeypatch):
    collected = []
    monkeypatch.setattr(garbage, "give_back", lambda: collected.append(1))
    for _ in range(100):
        garbage.collect_soon()
    time.sleep(3 * every)
    assert collected == [1]
