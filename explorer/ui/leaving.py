"""A visit whose tab was closed is over: what it holds is let go at once.

Streamlit keeps a session for two minutes after its connection has ended, as a lost one may come back. But a browser
that closes a tab, or leaves or reloads its page, says so, and that session nobody can ever see again.
"""

from typing import TYPE_CHECKING

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.ui.garbage import collect_soon

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GOING_AWAY = 1001  # what it says (RFC 6455); where the network has failed, nothing is said
KEY = "sec-websocket-key"  # a header: each connection has its own

_connections: dict[str, str] = {}  # of each session, the newest


def arrive() -> None:
    """The visitor whose page is being made is there, by this connection."""
    context, key = get_script_run_ctx(suppress_warning=True), st.context.headers.get(KEY)
    if context is not None and key:
        _connections[context.session_id] = key


class Leaving:
    """Around the server: it hears which connections end, and how."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        code = None

        async def listen() -> "Message":
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code")
            return message

        try:
            await self._app(scope, listen, send)
        finally:
            _leave(dict(scope["headers"]).get(KEY.encode(), b"").decode("latin-1"), code)


def _leave(key: str, code: int | None) -> None:
    for session in [each for each, connection in [*_connections.items()] if connection == key]:
        del _connections[session]
        if code == GOING_AWAY:
            runtime.get_instance().close_session(session)
            collect_soon()
