"""Settings in the address bar. All that a link says comes in here: of choices one that is offered, of numbers the
nearest that can be; what it asks for and does not get is said on the page. The link restores settings, defaults are
left out.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from explorer.knobs import exactly
from explorer.ui.markdown import plain

SWITCH = ("true", "false", "True", "False")  # what a switch takes from the address
LONGEST = 60  # characters of a value that are repeated
NOT_YET = object()  # a control is still to be made


def restore(names: Collection[str] | None = None) -> None:
    """On coming back from another page: put what the address said, of these names or of all, into it again, which the
    menu of pages leaves out.
    """
    wanted = {name: value for name, value in _kept().items() if names is None or name in names}
    if missing := {name: value for name, value in wanted.items() if name not in st.query_params}:
        st.query_params.update(missing)  # at once: each change of the address is a step of the browser's history


def linked(name: str, allowed: Collection[str], default: str) -> str:
    """What the address says of a setting that no widget binds by itself, or the default where it says nothing that is
    allowed.
    """
    value = st.query_params.get(name, default)
    if value != default and value not in allowed:
        note_unknown(name, value)
        value = default
    if value == default:
        _kept().pop(name, None)
    else:
        _kept()[name] = value
    return value


def said(name: str) -> str:
    """What the address says of a setting; "" if nothing. Whoever asks checks it."""
    return st.query_params.get(name, "")


def address() -> dict[str, str]:
    """All that it says."""
    return st.query_params.to_dict()


def every_value() -> dict[str, list[str]]:
    """All that it says, of a setting with several values each."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def say_again(said: Mapping[str, list[str]]) -> None:
    """Let the address, which says nothing, say this, and begin the run anew."""
    with suppress(StreamlitAPIException):  # a control of the page that was left still holds one of them
        st.query_params.update(said)
    st.rerun()


def unlink(name: str) -> None:
    """Take a setting out of the address."""
    _kept().pop(name, None)
    if name in st.query_params:
        del st.query_params[name]


def linked_here(name: str, allowed: Collection[str], default: str) -> str:
    """The same of a setting that means nothing to other pages: `restore` takes it to none of them."""
    value = linked(name, allowed, default)
    _kept().pop(name, None)
    return value


def link(name: str, value: str, default: str) -> None:
    """Put a setting into the address."""
    if value == default:
        unlink(name)
        return
    _kept()[name] = value
    if st.query_params.get(name) != value:
        st.query_params[name] = value


def link_here(name: str, value: str) -> None:
    """The same of a setting that means nothing to other pages: `restore` takes it to none of them."""
    link(name, value, "")
    _kept().pop(name, None)


def bound(name: str, offered: Iterable[Any]) -> None:
    """Before a control is made that Streamlit binds to the address, whose choices it calls by the names `offered`: note
    what the address asks for instead. Streamlit takes that out of it.
    """
    names = {*map(str, offered)}
    if unknown := [asked for asked in st.query_params.get_all(name) if asked not in names]:
        _notes()[name] = _Note(_unknown(name, ", ".join(unknown)), of_control=True)


def linked_number(name: str, label: str, nearest: Callable[[float], float | int], default: float | int | None) -> None:
    """Before a control is made that Streamlit binds to the address: let the address say a number that it can show.

    The number is read in full; `nearest` is the valid one that is nearest to it. What is no number is taken out of the
    address.
    """
    text = st.query_params.get(name, "")
    if not text or name in st.session_state:  # from then on the control says what it shows
        return
    try:
        asked = float(text)
    except ValueError:
        asked = math.nan
    if math.isnan(asked):
        told = f"{_asked(label, text)}, which is no number: the default is used."
        _correct(name, "", _Note(told, of_control=True, shown=default))
        return
    value = nearest(asked)
    told = "" if value == asked else f"{_asked(label, text)}; the nearest that can be is used."
    if text != exactly(value):
        _correct(name, exactly(value), _Note(told, of_control=True, shown=value))


def whole(low: int, high: int) -> Callable[[float], int]:
    """To the nearest whole number from `low` to `high`."""
    return lambda value: round(min(max(value, low), high))


def note_unknown(name: str, asked: str) -> None:
    """The address asks for something that is not offered: `tell_unmet` will say so, in this run of the page."""
    _notes()[name] = _Note(_unknown(name, asked), of_control=False)


def tell_unmet() -> None:
    """After the controls are made: one sentence for everything that the link asks for and that is not shown; of a
    control that Streamlit binds to the address for as long as it stays where it was put instead.
    """
    for name, note in [*_notes().items()]:
        if note.of_control and note.shown is NOT_YET:
            note.shown = st.session_state.get(name)
        stays = note.of_control and name in st.session_state and st.session_state[name] == note.shown
        if stays or not note.of_control:
            st.warning(plain(note.told))
        if not stays:
            del _notes()[name]


@dataclass
class _Note:
    """What a link asks for and does not get."""

    told: str  # in one sentence; "" where it gets the same number
    of_control: bool  # which Streamlit binds to the address: the note is kept, as the address is put right
    shown: Any = NOT_YET  # by that control instead


def _asked(label: str, text: str) -> str:
    return f"The link asks for {' '.join(text.split())[:LONGEST] or '(nothing)'} as {label}"


def _unknown(name: str, asked: str) -> str:
    return f"{_asked(name, asked)}, which is not offered here: another choice is shown."


def _correct(name: str, text: str, note: _Note) -> None:
    """Begin the run anew with another address: controls take their first value from the one that a run begins with."""
    try:
        if text:
            st.query_params[name] = text
        else:
            del st.query_params[name]
    except StreamlitAPIException:  # still bound to the page that was left, whose control has written it: it is valid
        return
    if note.told:
        _notes()[name] = note
    st.rerun()


def _notes() -> dict[str, _Note]:
    return st.session_state.setdefault("unmet", {})


def _kept() -> dict[str, str]:
    """What the address said last, for as long as the visit lasts."""
    return st.session_state.setdefault("kept_links", {})
