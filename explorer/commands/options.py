"""From knobs to options: each field of an attack becomes the option that suits it; attacks share those of one name."""

import argparse
from collections.abc import Callable, Collection
from typing import Any

from explorer.attacks import ATTACKS, Attack
from explorer.knobs import Knob, knobs

DEST = "knob {}"  # where a setting's text is kept: a command may have an option of its own of that name
DIGITS = 10
DEFAULT_PRESET = "default"


def number(text: str) -> int:
    """A whole number: digits alone, and no more of them than a computer counts. Raises ValueError."""
    if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > DIGITS:
        raise ValueError(f"A whole number of at most {DIGITS} digits is expected; got {text[:40]!r}.")
    return int(text)


def whole(text: str) -> int:
    """The type of an option that takes a whole number."""
    try:
        return number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_attack(parser: argparse.ArgumentParser, *, lists: bool = False, without: Collection[str] = ()) -> None:
    """`--attack`, and an option for each setting of each attack but those in `without`, which the command itself has.

    With `lists`, every setting that is no switch takes several values, separated by commas.
    """
    usual = next(iter(ATTACKS))
    told = " ".join(f"[{name}] {kind.summary}" for name, kind in ATTACKS.items()).replace("%", "%%")
    parser.add_argument("--attack", choices=list(ATTACKS), default=usual, help=f"{told} (default: {usual})")
    group = parser.add_argument_group("settings of the attack")
    for name, of in _settings().items():
        if name in without:
            continue
        known = [*of.values()]
        common = {"dest": DEST.format(name), "help": _help(of).replace("%", "%%")}
        if all(_is_switch(knob) for knob in known):
            group.add_argument(_option(name), action=argparse.BooleanOptionalAction, default=None, **common)
        else:
            choices = known[0].choices if len({knob.choices for knob in known}) == 1 else ()
            one = "{" + ",".join(choices) + "}" if choices and not lists else "X"
            group.add_argument(_option(name), metavar="X,Y,..." if lists else one, **common)


def chosen(args: argparse.Namespace, *, lists: bool = False) -> dict[str, Any]:
    """The settings that were given on the command line; with `lists`, each that is no switch as a list.

    Raises ValueError with one sentence if one does not belong to the attack that was chosen, or is no such value.
    """
    known, values = knobs(ATTACKS[args.attack]), {}
    for name in _settings():
        given = getattr(args, DEST.format(name), None)
        if given is None:
            continue
        if name not in known:
            every = ", ".join(map(_option, known))
            raise ValueError(f"{_option(name)} is no setting of the attack {args.attack!r}: it has {every}.")
        if isinstance(given, bool):
            values[name] = given
        elif lists and not _is_switch(known[name]):
            values[name] = [read(known[name], text) for text in given.split(",")]
        else:
            values[name] = read(known[name], given)
    return values


def attack(args: argparse.Namespace) -> Attack:
    """The attack that was chosen, with its settings. Raises ValueError with one sentence."""
    return ATTACKS[args.attack](**chosen(args))


def settings(config: type, given: Collection[str], kind: str, whole: str) -> dict[str, Any]:
    """The settings that texts such as a=0.2 stand for, of the knobs of `config`, which is called `kind`; they are part
    of the text `whole`. Raises ValueError with one sentence.
    """
    known, values = knobs(config), {}
    for setting in given:
        knob, equals, value = setting.partition("=")
        if knob not in known or not equals:
            raise ValueError(f"{setting!r} in {whole!r} is no setting of {kind}: {'=, '.join(known)}= are known.")
        try:
            values[knob] = value_type(known[knob])(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} in {whole!r} is no value for {knob}.") from None
    return values


def presets(name: str) -> dict[str, dict[str, Any]]:
    """The presets of an attack by their names on the command line, where the last word of the title is enough."""
    named = {title.split()[-1].lower(): changes for title, changes in ATTACKS[name].presets.items()}
    return {DEFAULT_PRESET: {}, **named}


def read(knob: Knob, text: str) -> Any:
    """The value of a knob that `text` stands for. Raises ValueError with one sentence if there is none."""
    value = value_type(knob)
    try:
        return value(text)
    except ValueError:
        wanted = {number: "a whole number", float: "a number"}.get(value, "yes or no")
        raise ValueError(f"{_option(knob.name)} takes {wanted}; got {text[:40]!r}.") from None


def value_type(knob: Knob) -> Callable[[str], Any]:
    """What turns the text of an option into this knob's value; ValueError if it cannot."""
    if knob.choices:
        return str
    if _is_switch(knob):
        return _yes_or_no
    return float if isinstance(knob.default, float) else number


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


def _settings() -> dict[str, dict[str, Knob]]:
    """By the name of a setting: the attacks that have it, with their knob."""
    found: dict[str, dict[str, Knob]] = {}
    for attack, kind in ATTACKS.items():
        for name, knob in knobs(kind).items():
            found.setdefault(name, {})[attack] = knob
    return found


def _help(of: dict[str, Knob]) -> str:
    """What a setting does: once, if it is the same for all attacks, else for each of them."""
    by_text: dict[str, list[str]] = {}
    for attack, knob in of.items():
        valid = f"; valid: {limits(knob)}" if limits(knob) else f"; one of: {', '.join(knob.choices)}"
        text = f"{knob.help} (default: {shown(knob.default)}{'' if _is_switch(knob) else valid})"
        by_text.setdefault(text, []).append(attack)
    if [*by_text.values()] == [[*ATTACKS]]:
        return next(iter(by_text))
    return " ".join(f"[{', '.join(attacks)}] {text}" for text, attacks in by_text.items())


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _is_switch(knob: Knob) -> bool:
    return isinstance(knob.default, bool)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"expected yes or no; got {text!r}.")
    return text == "yes"
