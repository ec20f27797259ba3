"""Choosing what a grid tries: networks, pictures, up to three knobs with their values, and everything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import DEFAULT
from explorer.knobs import Knob, knobs
from explorer.limits import limits
from explorer.studies.tuning import tunable
from explorer.types import Sample
from explorer.ui.attacks import PARAMETER, name_of, prefix_of, presets_of
from explorer.ui.controls import keep_stop, stops_of, widget
from explorer.ui.leap import leap
from explorer.ui.link import SWITCH, bound, exactly, linked_number, whole
from explorer.ui.networks import BRING, card_of
from explorer.ui.regions import allow_everywhere
from explorer.ui.subjects import labelled_pictures, tunable_networks

EXPLORE = "./"  # where the app's first page lies, seen from the others
BASE = "base_"  # before the names of the current setting's knobs in the link
NO_KNOB = "none"
MAX_VALUES = 12  # of one knob
MAX_NETWORKS = 3
STOPS = 6  # that a knob starts with
PICTURES = 6


@dataclass(frozen=True)
class Choice:
    """What a person asked the page to try."""

    networks: tuple[str, ...]
    pictures: tuple[Sample, ...]
    base: Attack  # the setting that all others differ from: the sliders' place
    values: Mapping[str, tuple[Any, ...]]  # by knob: x, y and, if there is one, the third

    @property
    def n_settings(self) -> int:
        count = 1
        for values in self.values.values():
            count *= len(values)
        return count

    @property
    def n_runs(self) -> int:
        return self.n_settings * len(self.pictures) * len(self.networks)


def offered(attack: Attack | type[Attack]) -> dict[str, Knob]:
    """The knobs of an attack that the page offers: those with a range or with choices."""
    return {name: knob for name, knob in knobs(attack).items() if knob.choices or knob.slider}


def symbol(name: str, attack: Attack | type[Attack]) -> str:
    """What a knob is called where there is little room: its letter, if it has one."""
    known = knobs(attack)
    return _short(known[name]) if name in known else name


def _short(knob: Knob) -> str:
    return knob.label.partition(" · ")[0]


def question(attack: type[Attack]) -> str:
    """What a grid answers."""
    *others, last = [symbol(name, attack) for name in attack.main]
    return f"What do {', '.join(others)} and {last} do?" if others else "What do the settings do?"


def choose_subjects() -> tuple[tuple[str, ...], tuple[Sample, ...]]:
    """The networks and the pictures, the clearest of each class first. Raises ValueError with one sentence."""
    networks = tunable_networks()
    bound("networks", [card_of(name).title for name in networks])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        networks = st.multiselect(
            "Networks",
            networks,
            [DEFAULT],
            format_func=lambda name: card_of(name).title,
            max_selections=MAX_NETWORKS,
            key="networks",
            help=f"Those whose labelled pictures are here: road signs always are. {BRING}",
            bind="query-params",
            width=420,
        )
        pictures = labelled_pictures(networks)
        usual = min(PICTURES, len(pictures))
        linked_number("signs", "pictures", whole(1, len(pictures)), usual)
        count = st.slider(
            "Pictures, one of each class first",
            1,
            len(pictures),
            usual,
            key="signs",
            bind="query-params",
            width=320,
        )
    return tuple(networks), pictures[:count]


def choose_values(attack: str) -> dict[str, tuple[Any, ...]]:
    """Two or three knobs of the attack of this name, and the values to try. Raises ValueError with one sentence."""
    values: dict[str, tuple[Any, ...]] = {}
    kind, prefix = ATTACKS[attack], prefix_of(attack)
    every = offered(kind)
    across, up, *_ = dict.fromkeys((*kind.main, *tunable(kind), *every))
    places = (("x", "Across", across), ("y", "Up", up), ("z", "Small multiples", NO_KNOB))
    for key, title, default in places:
        options = [name for name in every if name not in values]
        options = [NO_KNOB, *options] if key == "z" else options
        titles = {name: NO_KNOB if name == NO_KNOB else every[name].label for name in options}
        bound(prefix + key, titles.values())
        name = st.selectbox(
            title,
            options,
            options.index(default) if default in options else 0,
            format_func=titles.get,
            key=prefix + key,
            bind="query-params",
        )
        if name != NO_KNOB:
            text = st.text_input(
                f"Values of {symbol(name, kind)}",
                written(suggested(every[name])),
                key=f"{prefix}values_{name}",
                help=f"At most {MAX_VALUES}, separated by commas. {every[name].help}",
                bind="query-params",
            )
            values[name] = parsed(every[name], text)
    return values


def choose_base(attack: str, refined: str, default: bool = False, across: int = 3) -> Attack:
    """The setting of the attack of this name to start from; the same knobs as on Explore, with links of their own.
    `refined` is the name, in the link, of the switch for pruning and polishing, `default` where it stands at first;
    `across` knobs stand side by side.
    """
    kind, prefix, presets = ATTACKS[attack], BASE + prefix_of(attack), presets_of(attack).values()
    bound(refined, SWITCH)
    refined = st.toggle(
        "With pruning and polishing",
        value=default,
        key=refined,
        bind="query-params",
        help="Off: the optimised stage alone, which is where the attack's own settings act, and several times quicker.",
    )
    with st.expander("Current setting: what is started from, and the ring in the map"):
        columns = st.columns(across)
        chosen = {}
        for number, (name, knob) in enumerate(offered(kind).items()):
            with columns[number % across]:
                chosen[name] = widget(knob, presets, prefix=prefix)
    return kind(**chosen, prune=refined, polish=refined)


def parsed(knob: Knob, text: str) -> tuple[Any, ...]:
    """The values in `text`, in order and each once. Raises ValueError with one sentence."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(parts) <= MAX_VALUES:
        raise ValueError(f"{_short(knob)} takes 1 to {MAX_VALUES} values, separated by commas; got {len(parts)}.")
    kind = str if knob.choices else float if isinstance(knob.default, float) else int
    try:
        values = list(dict.fromkeys(map(kind, parts)))
    except ValueError:
        wanted = "whole numbers" if kind is int else "numbers"
        raise ValueError(f"{_short(knob)} takes {wanted}, separated by commas; got {text[:80]!r}.") from None
    for value in values:
        knob.check(value)
    if kind is int and not knob.slider[0] <= max(values) <= knob.slider[1]:
        raise ValueError(f"{_short(knob)} is at most {knob.slider[1]} on this page; got {max(values)}.")
    return tuple(values if knob.choices else sorted(values))


def suggested(knob: Knob) -> Sequence[Any]:
    """Values to begin with: all choices, or STOPS from the slider's range with the default among them."""
    if knob.choices:
        return knob.choices
    low, high = knob.slider
    if knob.log:
        stops = stops_of(knob, {knob.default})
        every = (len(stops) - 1) / (STOPS - 1)
        return sorted({knob.default, *(stops[round(i * every)] for i in range(STOPS))})
    values = [low + i * (high - low) / (STOPS - 1) for i in range(STOPS)]
    if isinstance(knob.default, int):
        return sorted({knob.default if knob.default is not None else low, *(round(value) for value in values)})
    rounded = {float(f"{value:.2g}") for value in values}
    return sorted(value for value in rounded if low <= value <= high)


def written(values: Iterable[Any]) -> str:
    """Values as `parsed` reads exactly them again."""
    return ", ".join(map(_written, values))


def choice(networks: tuple[str, ...], pictures: tuple[Sample, ...], base: Attack, values: dict) -> Choice:
    """All of it. Raises ValueError with one sentence if it is nothing, or too much for a page."""
    if not networks:
        raise ValueError("Choose at least one network.")
    chosen = Choice(networks, pictures, base, values)
    if chosen.n_runs > (most := limits().grid_runs):
        raise ValueError(
            f"That is {chosen.n_runs:,} runs, and a page does {most:,} at most: choose fewer values, pictures or "
            "networks, or use the command line, which has no limit."
        )
    return chosen


def place_of(setting: Attack, network: str, picture: str) -> dict[str, str]:
    """What the address of Explore says; defaults are left out, as its controls do."""
    name = name_of(setting)
    prefix = prefix_of(name)
    place = {PARAMETER: name} if prefix else {}
    for each, knob in knobs(setting).items():
        value = getattr(setting, each)
        if value != knob.default:
            place[prefix + each] = _written(value)
    return {**place, "network": network, "picture": picture}


def _written(value: Any) -> str:
    """As a knob's control puts it into the address, a number in full."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else exactly(value)


def go_to(setting: Attack, network: str, picture: str) -> None:
    """Before the page is drawn again: ask to go to this setting in Explore. The controls of this page stay."""
    for name, knob in offered(setting).items():
        keep_stop(knob, getattr(setting, name), prefix_of(name_of(setting)))
    allow_everywhere()  # as the grid did
    st.session_state.go_to = place_of(setting, network, picture)


def leave() -> None:
    """Go to Explore, if that was asked for. The first thing that a page does."""
    if place := st.session_state.pop("go_to", None):
        leap(EXPLORE, place)
