"""A visit whose tab was closed is let go at once; one whose connection was lost may come back."""

from contextlib import suppress
from types import SimpleNamespace

import pytest

from explorer.ui import leaving
from explorer.ui.leaving import GOING_AWAY, KEY, Leaving

LOST = 1006  # of a connection that ended without a word


@pytest.fixture
def closed(monkeypatch):
    """The sessions that were closed; two are there, `one` by the connection `a`, `other` by `b`."""
    closed = []
    monkeypatch.setattr(leaving, "_connections", {"one": "a", "other": "b"})
    monkeypatch.setattr(leaving, "collect_soon", lambda: None)
    monkeypatch.setattr(leaving.runtime, "get_instance", lambda: SimpleNamespace(close_session=closed.append))
    return closed


def run(coroutine):
    """It waits for nothing, so no loop is needed: where a browser was driven before, its own still runs."""
    with suppress(StopIteration):
        coroutine.send(None)


def end(key, code, fails=False):
    """A connection ends with this code."""

    async def app(_scope, receive, _send):
        assert (await receive())["type"] == "websocket.disconnect"
        if fails:
            raise OSError("The network is gone.")

    async def receive():
        return {"type": "websocket.disconnect", "code": code}

    scope = {"type": "websocket", "headers": [(b"host", b"localhost"), (KEY.encode(), key.encode())]}
    run(Leaving(app)(scope, receive, None))


def test_a_tab_that_was_closed_ends_its_session_and_no_other(closed):
    end("a", GOING_AWAY)
    assert closed == ["one"]
    end("a", GOING_AWAY)
    assert closed == ["one"], "once"


def test_a_connection_that_was_lost_ends_none(closed):
    end("a", LOST)
    assert closed == []
    assert leaving._connections == {"other": "b"}, "and nothing is kept of it"


def test_a_session_that_came_back_by_another_connection_stays_when_the_older_one_ends(closed):
    leaving._connections["one"] = "c"
    end("a", GOING_AWAY)
    assert closed == []
    end("c", GOING_AWAY)
    assert closed == ["one"]


def test_a_connection_without_a_page_ends_none(closed):
    end("", GOING_AWAY)
    end("unknown", GOING_AWAY)
    assert closed == []


def test_a_server_that_fails_lets_go_all_the_same(closed):
    with pytest.raises(OSError, match="network"):
        end("b", GOING_AWAY, fails=True)
    assert closed == ["other"]


def test_what_is_no_connection_of_a_page_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    run(Leaving(app)({"type": "http"}, "receive", "send"))
    assert seen == [({"type": "http"}, "receive", "send")]
