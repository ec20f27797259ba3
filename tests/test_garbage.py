"""Garbage is collected now and then: what refers to itself is let go, and pages are not held up each time."""

import gc
import weakref
from types import SimpleNamespace

import pytest

from explorer.ui import garbage


class Circle:
    """It refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def at(monkeypatch):
    """Set the clock to so many seconds after a collection."""
    gc.disable()  # nobody else collects
    monkeypatch.setattr(garbage, "_last", 100.0)
    yield lambda seconds: monkeypatch.setattr(garbage, "time", SimpleNamespace(monotonic=lambda: 100.0 + seconds))
    gc.enable()


def test_what_was_left_is_let_go_once_the_time_has_come(at):
    left = weakref.ref(Circle())
    at(garbage.EVERY - 1)
    garbage.collect_now_and_then()
    assert left() is not None
    at(garbage.EVERY)
    garbage.collect_now_and_then()
    assert left() is None
    left = weakref.ref(Circle())
    garbage.collect_now_and_then()
    assert left() is not None, "not again at once"
