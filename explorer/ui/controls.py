"""From knobs to widgets: every field of a configuration becomes the control that suits it, bound to the link."""

import math
from collections.abc import Iterable
from typing import Any

import streamlit as st

from explorer.knobs import Knob, knobs

PER_DECADE = 10  # stops of a logarithmic slider


def configure(config: type, main: Iterable[str]) -> Any:
    """Let a person set `config`: the `main` knobs with their sentence in full view, the others under "More".

    Raises ValueError with one sentence if the settings do not go together.
    """
    every = knobs(config)
    values = {}
    for name in main:
        values[name] = widget(every[name], help=False)
        st.caption(every[name].help)
    with st.expander("More settings"):
        for name, knob in every.items():
            if name not in values:
                values[name] = widget(knob)
    return config(**values)


def reset(config: type) -> None:
    """Put every knob back to its default, before the widgets of the next run are made."""
    for name, knob in knobs(config).items():
        st.session_state[name] = knob.default


def widget(knob: Knob, help: bool = True) -> Any:
    """One control. Its key, which is also its name in the link, is the field's name."""
    common = {
        "label": knob.label,
        "key": knob.name,
        "help": knob.help if help else None,
        "bind": "query-params",
    }
    if knob.choices:
        return st.selectbox(options=knob.choices, index=knob.choices.index(knob.default), **common)
    if isinstance(knob.default, bool):
        return st.toggle(value=knob.default, **common)
    if knob.default is None:
        return st.number_input(min_value=knob.low, max_value=knob.high, value=None, placeholder="no limit", **common)
    low, high = knob.slider
    if knob.log:
        stops = logarithmic_stops(low, high, knob.default)
        return st.select_slider(options=stops, value=knob.default, format_func=lambda stop: f"{stop:g}", **common)
    if isinstance(knob.default, int):
        return st.slider(min_value=int(low), max_value=int(high), value=knob.default, **common)
    step = 10.0 ** math.floor(math.log10((high - low) / 20))
    return st.slider(min_value=float(low), max_value=float(high), value=knob.default, step=step, **common)


def logarithmic_stops(low: float, high: float, default: float) -> list[float]:
    """Round numbers, evenly spaced by their ratio, from `low` to `high`, the default among them."""
    first, last = round(PER_DECADE * math.log10(low)), round(PER_DECADE * math.log10(high))
    stops = {float(f"{10 ** (each / PER_DECADE):.2g}") for each in range(first, last + 1)}
    whole = isinstance(default, int)
    return sorted({round(stop) if whole else stop for stop in stops if low <= stop <= high} | {low, high, default})
