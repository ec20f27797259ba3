"""A browser's tab without a browser: Streamlit's protocol over its websocket, and the page as a tree of elements."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

Path = tuple[int, ...]


class Tab:
    """One visitor's tab: what the server has drawn, and the controls that were touched."""

    def __init__(self, port: int, link: dict[str, str] | None = None) -> None:
        """`link`: the query parameters that the page is opened with."""
        self.port, self.link = port, urlencode(link or {})
        self.drawn: dict[Path, Any] = {}  # element or block by its place
        self.idle = False  # the script has run to its end
        self.files: asyncio.Queue = asyncio.Queue()  # places for uploads, as the server has told
        self.fragments: set[str] = set()  # that ask to be run again and again
        self._fresh: set[Path] = set()  # drawn by the script run in progress
        self._states: dict[str, WidgetState] = {}
        self._changed = asyncio.Condition()

    async def open(self) -> "Tab":
        """Connect and run the page."""
        self._socket = await websockets.connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=60
        )
        self._listener = asyncio.create_task(self._listen())
        self._ticker = asyncio.create_task(self._tick())
        await self.rerun()
        return self

    async def close(self) -> None:
        """Leave, as when a tab is closed."""
        self._ticker.cancel()
        self._listener.cancel()
        await self._socket.close(1001)  # going away, as browsers say

    async def rerun(self, fragment: str = "") -> None:
        """Run the script with the controls as they are."""
        message = BackMsg()
        message.rerun_script.query_string = self.link
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        if not fragment:
            self.idle = False
        await self._socket.send(message.SerializeToString())

    async def set(self, label: str, value: Any, field: str) -> None:
        """Put the control of this label to a value: `field` is the one of WidgetState that it is kept in."""
        state = WidgetState(id=self.control(label))
        kept = getattr(state, field)
        if field == "file_uploader_state_value":
            kept.CopyFrom(value)
        elif hasattr(kept, "data"):
            kept.data.extend(value)
        else:
            setattr(state, field, value)
        self._states[state.id] = state
        await self.rerun()
        if field == "trigger_value":
            del self._states[state.id]

    async def send(self, message: BackMsg) -> None:
        """Any other message to the server."""
        await self._socket.send(message.SerializeToString())

    async def until(self, met: Callable[["Tab"], Any], seconds: float) -> tuple[Any, float]:
        """Wait until `met` is true of the page: what it returned and the seconds that it took. Raises TimeoutError."""
        started = time.perf_counter()
        async with asyncio.timeout(seconds), self._changed:
            while not (found := met(self)):
                await self._changed.wait()
        return found, time.perf_counter() - started

    def elements(self, kind: str) -> Iterator[Any]:
        """The page's elements of this kind, top down."""
        for _, element in sorted(self.drawn.items()):
            if element.WhichOneof("type") == kind:
                yield getattr(element, kind)

    def control(self, label: str) -> str:
        """The id of the control with this label."""
        for element in self.drawn.values():
            widget = getattr(element, element.WhichOneof("type") or "", None)
            if getattr(widget, "label", None) == label and getattr(widget, "id", ""):
                return widget.id
        raise LookupError(f"There is no control called {label!r} on the page.")

    def stops(self, label: str) -> list[str]:
        """What the slider with this label can be put to."""
        found = next(each for each in self.elements("slider") if each.label == label)
        return list(found.options)

    def component(self, key: str) -> dict | None:
        """The data of the component with this key; None where there is none."""
        for element in self.elements("bidi_component"):
            if element.id.endswith(f"-{key}") and element.json:
                return json.loads(element.json)
        return None

    async def _tick(self) -> None:
        """Run the fragments that ask for it, as a browser does."""
        while True:
            await asyncio.sleep(1)
            for fragment in [*self.fragments]:
                await self.rerun(fragment)

    async def _listen(self) -> None:
        async for content in self._socket:
            message = ForwardMsg.FromString(content)
            async with self._changed:
                self._take(message)
                self._changed.notify_all()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._whole = not message.metadata.run.fragment_ids
            if self._whole:
                self._fresh, self.fragments, self.idle = set(), set(), False
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
        elif kind == "script_finished":
            if self._whole:
                self.idle = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            if self._whole and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.drawn = {path: each for path, each in self.drawn.items() if path in self._fresh}
        elif kind == "auto_rerun":
            self.fragments.add(message.auto_rerun.fragment_id)
        elif kind == "page_info_changed":
            self.link = message.page_info_changed.query_string
        elif kind == "file_urls_response":
            self.files.put_nowait(message.file_urls_response)

    def _draw(self, path: Path, delta: Any) -> None:
        self._fresh.add(path)
        kind = delta.WhichOneof("type")
        if kind == "new_element":
            self.drawn[path] = delta.new_element
        elif kind == "add_block":
            if path not in self.drawn or self.drawn[path].WhichOneof("type") != delta.add_block.WhichOneof("type"):
                self.drawn = {each: what for each, what in self.drawn.items() if each[: len(path)] != path}
            self.drawn[path] = delta.add_block
