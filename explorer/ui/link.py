"""Settings in the address bar that no widget binds by itself: the link restores them, defaults are left out."""

import math
from collections.abc import Callable, Collection

import streamlit as st
from streamlit.errors import StreamlitAPIException

from explorer.ui.markdown import plain


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


def linked_number(name: str, label: str, nearest: Callable[[float], float | int], default: float | int | None) -> None:
    """Before a control is made that Streamlit binds to the address: let the address say a number that it can show.

    The number is read in full; `nearest` is the valid one that is nearest to it. What is no number is taken out of the
    address. A sentence says so, here, where that is not what was asked for: for as long as the control stays there.
    """
    told, shown = _corrections().get(name, ("", default))
    if told and st.session_state.get(name, shown) == shown:
        st.warning(plain(told))
    else:
        _corrections().pop(name, None)
    text = st.query_params.get(name, "")
    if not text or name in st.session_state:  # from then on the control says what it shows
        return
    try:
        asked = float(text)
    except ValueError:
        asked = math.nan
    if math.isnan(asked):
        _correct(name, "", f"The link's {label} is no number: {text[:40]!r}. The default is used.", default)
        return
    value = nearest(asked)
    told = "" if value == asked else f"The link asks for {text[:40]} as {label}; the nearest that can be is used."
    if text != exactly(value):
        _correct(name, exactly(value), told, value)


def exactly(value: float | int) -> str:
    """A number in as few digits as give it back exactly: 0.3, 1e-05, 30."""
    if isinstance(value, int):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _correct(name: str, text: str, told: str, shown: float | int | None) -> None:
    """Begin the run anew with another address: controls take their first value from the one that a run begins with."""
    try:
        if text:
            st.query_params[name] = text
        else:
            del st.query_params[name]
    except StreamlitAPIException:  # still bound to the page that was left, whose control has written it: it is valid
        return
    _corrections()[name] = told, shown
    st.rerun()


def _corrections() -> dict[str, tuple[str, float | int | None]]:
    """Of numbers in the address that were put right, by their names: the sentence, and what the control shows."""
    return st.session_state.setdefault("link_corrections", {})


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
