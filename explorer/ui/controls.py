"""From knobs to widgets: every field of a configuration becomes the control that suits it, bound to the link."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from explorer.knobs import Knob, knobs
from explorer.ui.link import SWITCH, bound, exactly, linked_number, said

PER_DECADE = 10  # stops of a logarithmic slider


def configure(
    presets: Mapping[str, Any],
    main: Iterable[str],
    prefix: str = "",
    on_turn: Callable[[], object] | None = None,
    on_preset: Callable[[str], object] | None = None,
) -> Any:
    """Let a person set a configuration: the `main` knobs with what turning them does in full view, the others under
    "More".

    `presets` are configurations by the name of their button; the first one is the default. `on_turn` hears when a main
    knob is turned, `on_preset` which preset was pressed. `prefix`: see widget. Raises ValueError with one sentence if
    the settings do not go together.
    """
    config = type(next(iter(presets.values())))
    every, values = knobs(config), {}
    for name in main:
        knob = every[name]
        values[name] = widget(knob, presets.values(), help=bool(knob.brief), prefix=prefix, on_turn=on_turn)
        st.caption(knob.brief or knob.help)
    with st.container(horizontal=True, key="presets"):
        for title, preset in presets.items():
            st.button(title, on_click=_apply, args=[title, preset, prefix, on_preset], width="stretch")
    with st.expander("More settings"):
        for name, knob in every.items():
            if name not in values:
                values[name] = widget(knob, presets.values(), prefix=prefix)
    return config(**values)


def _apply(title: str, preset: Any, prefix: str, on_preset: Callable[[str], object] | None) -> None:
    """Put every knob to the preset's value, before the widgets of the next run are made."""
    for name in knobs(preset):
        st.session_state[prefix + name] = getattr(preset, name)
    if on_preset is not None:
        on_preset(title)


def widget(
    knob: Knob,
    presets: Iterable[Any] = (),
    help: bool = True,
    prefix: str = "",
    on_turn: Callable[[], object] | None = None,
) -> Any:
    """One control, on which the presets' values can be set. Its key, its name in the link, is the field's name after
    `prefix`, which keeps apart the knobs of two configurations that have one name, and those of two pages: where two
    pages share a name, Streamlit takes it out of the link that Back goes to. `on_turn` hears when it is turned.
    """
    common = {
        "label": knob.label,
        "key": prefix + knob.name,
        "help": knob.help if help else None,
        "bind": "query-params",
        "on_change": on_turn,
    }
    if knob.choices:
        bound(common["key"], knob.choices)
        return st.selectbox(options=knob.choices, index=knob.choices.index(knob.default), **common)
    if isinstance(knob.default, bool):
        bound(common["key"], SWITCH)
        return st.toggle(value=knob.default, **common)
    linked_number(common["key"], knob.label, partial(nearest, knob), knob.default)
    if knob.default is None:
        return st.number_input(min_value=knob.low, max_value=knob.high, value=None, placeholder="no limit", **common)
    low, high = knob.slider
    if knob.log:
        own = {knob.default, *(getattr(preset, knob.name) for preset in presets)}
        stops = stops_of(knob, own | _linked_stops(knob, prefix))
        return st.select_slider(options=stops, value=knob.default, format_func=exactly, **common)
    if isinstance(knob.default, int):
        return st.slider(min_value=int(low), max_value=int(high), value=knob.default, **common)
    step = 10.0 ** math.floor(math.log10((high - low) / 20))
    return st.slider(min_value=float(low), max_value=float(high), value=knob.default, step=step, **common)


def nearest(knob: Knob, value: float) -> float | int:
    """The number that a knob's control can be put to, nearest to `value`: a slider of stops gets one there."""
    if knob.log:
        with suppress(ValueError):
            knob.check(value)
            return value
    low, high = (knob.low, knob.high) if knob.default is None else knob.slider
    value = min(max(value, low), high)
    return value if isinstance(knob.default, float) else round(value)


def keep_stop(knob: Knob, value: Any, prefix: str = "") -> None:
    """Let the control of this `prefix` be put exactly to `value`, which may lie between its stops."""
    if knob.log:
        _kept_stops(knob, prefix).add(value)


def _linked_stops(knob: Knob, prefix: str) -> set[float]:
    """Values between the stops that a link has asked for: they stay stops for as long as the visitor does."""
    kept = _kept_stops(knob, prefix)
    with suppress(ValueError):  # the link may say anything
        value = type(knob.default)(said(prefix + knob.name) or "nothing")
        knob.check(value)
        kept.add(value)
    return kept


def _kept_stops(knob: Knob, prefix: str) -> set[float]:
    return st.session_state.setdefault(f"linked_stops_{prefix}{knob.name}", set())


def stops_of(knob: Knob, include: Collection[float]) -> list[float] | list[int]:
    """The stops of a logarithmic slider, with those to `include`; whole numbers where the knob takes no others."""
    stops = logarithmic_stops(*knob.slider, include)
    return sorted({round(stop) for stop in stops}) if isinstance(knob.default, int) else stops


def logarithmic_stops(low: float, high: float, include: Collection[float]) -> list[float]:
    """Round numbers, evenly spaced by their ratio, from `low` to `high`, and those to `include`."""
    first, last = round(PER_DECADE * math.log10(low)), round(PER_DECADE * math.log10(high))
    stops = [float(f"{10 ** (each / PER_DECADE):.2g}") for each in range(first, last + 1)]
    return sorted({low, high, *include, *(stop for stop in stops if low < stop < high)})
