"""Settings in the address bar that no widget binds by itself: the link restores them, defaults are left out."""

from collections.abc import Collection

import streamlit as st


def restore(names: Collection[str] | None = None) -> None:
    """On coming back from another page: put what the address said, of these names or of all, into it again, which the
    menu of pages leaves out.
    """
    wanted = {name: value for name, value in _kept().items() if names is None or name in names}
    if missing := {name: value for name, value in wanted.items() if name not in st.query_params}:
        st.query_params.update(missing)  # at once: each change of the address is a step of the browser's history


def linked(name: str, allowed: Collection[str], default: str) -> str:
    """What the address says, or the default where it says nothing that is allowed."""
    value = st.query_params.get(name, default)
    value = value if value in allowed else default
    if value == default:
        _kept().pop(name, None)
    else:
        _kept()[name] = value
    return value


def unlink(name: str) -> None:
    """Take a setting out of the address."""
    _kept().pop(name, None)
    if name in st.query_params:
        del st.query_params[name]


def link(name: str, value: str, default: str) -> None:
    """Put a setting into the address."""
    if value == default:
        unlink(name)
        return
    _kept()[name] = value
    if st.query_params.get(name) != value:
        st.query_params[name] = value


def _kept() -> dict[str, str]:
    """What the address said last, for as long as the visit lasts."""
    return st.session_state.setdefault("kept_links", {})
