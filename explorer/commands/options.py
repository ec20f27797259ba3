"""From knobs to options: every field of a configuration becomes the option that suits it."""

import argparse
from collections.abc import Callable, Collection
from typing import Any

from explorer.knobs import Knob, knobs


def add_knobs(parser: argparse.ArgumentParser, config: type, lists: Collection[str] = ()) -> None:
    """One option per knob of `config`. Those in `lists` take several values, separated by commas."""
    group = parser.add_argument_group("settings of the attack")
    for knob in knobs(config).values():
        option = "--" + knob.name.replace("_", "-")
        valid = f"; valid: {limits(knob)}" if limits(knob) else ""
        help = f"{knob.help} (default: {shown(knob.default)}{valid})".replace("%", "%%")
        if isinstance(knob.default, bool):
            group.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=help)
        elif knob.name in lists:
            group.add_argument(option, type=several(value_type(knob)), metavar="X,Y,...", help=help)
        elif knob.choices:
            group.add_argument(option, choices=knob.choices, help=help)
        else:
            group.add_argument(option, type=value_type(knob), metavar="X", help=help)


def chosen(args: argparse.Namespace, config: type) -> dict[str, Any]:
    """The knobs of `config` that were given on the command line."""
    values = {name: getattr(args, name) for name in knobs(config)}
    return {name: value for name, value in values.items() if value is not None}


def value_type(knob: Knob) -> Callable[[str], Any]:
    """What turns the text of an option into this knob's value; ValueError if it cannot."""
    if knob.choices:
        return str
    if isinstance(knob.default, bool):
        return _yes_or_no
    return float if isinstance(knob.default, float) else int


def several(value: Callable[[str], Any]) -> Callable[[str], list]:
    """The same for a list, separated by commas."""

    def values(text: str) -> list:
        return [value(each) for each in text.split(",")]

    values.__name__ = f"list of {value.__name__} separated by commas"  # what argparse calls it in its message
    return values


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"expected yes or no; got {text!r}.")
    return text == "yes"


def shown(value: Any) -> str:
    """A knob's value as people read it."""
    if value is None:
        return "no limit"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def limits(knob: Knob) -> str:
    """What is valid, as an interval; empty for a switch and for choices."""
    if knob.low is None:
        return ""
    low, high = (f"{limit:,}" if isinstance(limit, int) else f"{limit:g}" for limit in (knob.low, knob.high))
    return f"{'(['[not knob.open_low]}{low}, {high}{')]'[not knob.open_high]}"
