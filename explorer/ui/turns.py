"""Pages are made one after another, and none waits long for that.

Python runs one thread at a time. Thirty pages that are made at once take as long as one after another, each is done as
late as the last, and an attack that asks for Python's lock after each of its many short steps gets a thirtieth of it.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = 1 if (os.cpu_count() or 1) <= 2 else 2  # pages that are made at once
PAUSE = 0.4  # seconds between a visitor's first pictures and the rest of the page: see give_way
PATIENCE = 1.5  # seconds after which a page is made all the same: the one before it may be waiting for something


class Turns:
    """Who comes for a place is served first; those whose pictures are there already give way to them."""

    def __init__(self, places: int = PLACES, patience: float = PATIENCE) -> None:
        self._free, self._patience = places, patience
        self._changed = threading.Condition()
        self._lines: tuple[deque[object], deque[object]] = (deque(), deque())  # those who come, those who gave way
        self._mine = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Inside, this thread makes a page."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def give_way(self, pause: bool = False) -> None:
        """The pictures are there: others who have none yet are served before the rest of this page. With a `pause` the
        browser is, too: what it has to load for a page it reveals together, 0.3 s after the last such part at the
        earliest, so that the pictures would wait for the charts' 4.7 MB of Plotly.
        """
        if pause or self._lines[0]:
            held = self._held
            self._leave()
            if pause:
                time.sleep(PAUSE)
            if held:
                self._take(behind=True)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside, this thread waits for something and needs no place."""
        held = self._held
        self._leave()
        try:
            yield
        finally:
            if held:
                self._take()

    @property
    def _held(self) -> bool:
        return getattr(self._mine, "held", False)

    def _take(self, behind: bool = False) -> None:
        me, line, end = object(), self._lines[behind], time.monotonic() + self._patience
        with self._changed:
            line.append(me)
            while not (self._free > 0 and self._next() is me) and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            line.remove(me)
            self._free -= 1  # below zero where patience has ended
            self._changed.notify_all()
        self._mine.held = True

    def _next(self) -> object:
        return next(line[0] for line in self._lines if line)

    def _leave(self) -> None:
        if self._held:
            self._mine.held = False
            with self._changed:
                self._free += 1
                self._changed.notify_all()


turns = Turns()  # of this server
