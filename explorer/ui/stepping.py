"""The browser's Back from another page finds the settings that were left there.

On the way to another page Streamlit adds a step of its own to the browser's history: the page that is left, without its
settings. Back leads there, and as an address that says nothing asks for the defaults, all that was set would be gone.
"""

from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.ui.link import every_value, say_again


@dataclass
class _Visited:
    """Where a tab is, and what the addresses of its pages said last."""

    page: str
    addresses: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def put_back(page: str) -> None:
    """Before a page is drawn: where Back has led to it from another one, and its address says nothing, let it say what
    it said last, and begin anew.
    """
    visited = st.session_state.setdefault("visited", _Visited(page))
    before, visited.page = visited.page, page
    said, context = visited.addresses.get(page), get_script_run_ctx(suppress_warning=True)
    stepped = context is not None and context.is_history_navigation
    if stepped and before != page and said and not every_value():
        say_again(said)


def remember(page: str) -> None:
    """After it is drawn."""
    st.session_state.visited.addresses[page] = every_value()
