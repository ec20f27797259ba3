"""Garbage is collected now and then: what refers to itself is let go, and pages are not held up each time."""

import gc
import time
import weakref
from types import SimpleNamespace

import pytest

from explorer.ui import garbage


class Circle:
    """It refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def every(monkeypatch):
    """Collections come within so many seconds, and none that was asked for before."""
    monkeypatch.setattr(garbage, "EVERY", 0.5)
    gc.disable()  # nobody else collects
    forget()
    yield 0.5
    forget()
    gc.enable()


def forget():
    with garbage._guard:
        if garbage._coming is not None:
            garbage._coming.cancel()
            garbage._coming = None


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
    timers = []

    def timer(_seconds, work):
        timers.append(work)
        return SimpleNamespace(start=lambda: None, cancel=lambda: None)

    monkeypatch.setattr(garbage, "threading", SimpleNamespace(Timer=timer))
    for _ in range(100):
        garbage.collect_soon()
    (collect,) = timers
    collect()
    garbage.collect_soon()
    assert len(timers) == 2
