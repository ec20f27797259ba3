"""Settings in the address bar that no widget binds by itself: the link restores them, defaults are left out. Whatever
a link asks for that is not offered, a page says so.
"""

from collections.abc import Collection, Iterable
from typing import Any

import streamlit as st

SWITCH = ("true", "false", "True", "False")  # what a switch takes from the address
LONGEST = 60  # characters of a value that are repeated


def restore() -> None:
    """On coming back from another page: put what the address said into it again, which the menu of pages leaves out."""
    if missing := {name: value for name, value in _kept().items() if name not in st.query_params}:
        st.query_params.update(missing)  # at once: each change of the address is a step of the browser's history


def linked(name: str, allowed: Collection[str], default: str) -> str:
    """What the address says, or the default where it says nothing that is allowed."""
    value = st.query_params.get(name, default)
    if value != default and value not in allowed:
        note_unknown(name, value)
        value = default
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


def note_unknown(name: str, asked: str) -> None:
    """The address asks for something that is not offered: `tell_unknown` will say so, in this run of the page."""
    st.session_state.setdefault("unknown", {})[name] = asked


def bound(name: str, offered: Iterable[Any]) -> None:
    """Before a control is made that is bound to the address, whose choices it calls by the names `offered`: note what
    it asks for instead. Streamlit takes that out of the address, so it is kept until the control is used.
    """
    names = {*map(str, offered)}
    if unknown := [asked for asked in st.query_params.get_all(name) if asked not in names]:
        st.session_state.setdefault("unknown_bound", {})[name] = [", ".join(unknown)]


def tell_unknown() -> None:
    """One sentence for everything that the link asks for and that is not offered."""
    for name, asked in st.session_state.pop("unknown", {}).items():
        _tell(name, asked)
    kept = st.session_state.get("unknown_bound", {})
    for name, note in [*kept.items()]:
        note[1:] = note[1:] or [st.session_state.get(name)]  # what was taken instead
        if st.session_state.get(name) == note[1]:
            _tell(name, note[0])
        else:
            del kept[name]


def _tell(name: str, asked: str) -> None:
    shown = " ".join(asked.replace("`", "'").split())[:LONGEST] or "(nothing)"
    st.warning(f"The link asks for {name} `{shown}`, which is not offered here: another choice is shown.")


def _kept() -> dict[str, str]:
    """What the address said last, for as long as the visit lasts."""
    return st.session_state.setdefault("kept_links", {})
