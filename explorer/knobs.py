"""Knobs as data: a configuration is a frozen dataclass whose fields carry their limits and their help text.

Widgets (ui/controls.py), command-line options (__main__.py) and the README's table are made from the fields.
"""

import dataclasses
import inspect
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any, NoReturn


@dataclass(frozen=True)
class Knob:
    """What a person needs to know to set one field."""

    name: str
    default: Any
    help: str  # one plain sentence
    label: str  # what the widget is called
    low: float | None = None  # what is valid
    high: float | None = None
    slider: tuple[float, float] | None = None  # what is sensible: the range of the widget
    log: bool = False  # spans decades: the slider is logarithmic
    choices: tuple = ()  # a closed set of values
    open_low: bool = False  # low itself is not allowed
    open_high: bool = False
    brief: str = ""  # what turning it does, in a few words; empty: `help` does

    def check(self, value: Any) -> None:
        """Raise ValueError with one sentence if `value` is not allowed. A real number may be a tensor of them."""
        if self.choices:
            if not (isinstance(value, str) and value in self.choices):
                self._refuse(f"one of {', '.join(map(repr, self.choices))}", value)
        elif isinstance(self.default, bool):
            if not isinstance(value, bool):
                self._refuse("True or False", value)
        elif self.default is not None or value is not None:
            self._check_numbers(value)

    def _check_numbers(self, value: Any) -> None:
        real = isinstance(self.default, float)
        values = value.flatten().tolist() if real and hasattr(value, "flatten") else [value]
        for number in values:
            if isinstance(number, bool) or not isinstance(number, Real if real else Integral):
                self._refuse("a number" if real else "a whole number", value)
            above = number > self.low if self.open_low else number >= self.low
            below = number < self.high if self.open_high else number <= self.high
            if not (above and below):
                left, right = "(["[not self.open_low], ")]"[not self.open_high]
                self._refuse(f"in {left}{self.low:g}, {self.high:g}{right}", number, verb="lie")

    def _refuse(self, expected: str, value: Any, verb: str = "be") -> NoReturn:
        got = " ".join(repr(value).split())
        got = got if len(got) <= 80 else f"{got[:80]} …"
        raise ValueError(f"{self.name} must {verb} {expected}; got {got}.")


def knob(default: Any, help: str, *, label: str = "", **limits: Any) -> Any:
    """A dataclass field with limits and help; `limits` are Knob's."""
    return dataclasses.field(default=default, metadata={"help": help, "label": label, **limits})


def again(config: type, name: str, default: Any) -> Any:
    """A dataclass field like the knob of this name in another configuration, with a default of its own."""
    (field,) = [field for field in dataclasses.fields(config) if field.name == name]
    return dataclasses.field(default=default, metadata=field.metadata)


def knobs(config: Any) -> dict[str, Knob]:
    """The knobs of a configuration class or instance: its own in order of their fields, then those that it inherits."""
    return dict(_knobs(config if isinstance(config, type) else type(config)))


@cache
def _knobs(kind: type) -> dict[str, Knob]:
    own = [name for each in kind.__mro__ for name in inspect.get_annotations(each)]
    fields = sorted(dataclasses.fields(kind), key=lambda field: own.index(field.name))
    return {
        f.name: Knob(f.name, f.default, **{**f.metadata, "label": f.metadata["label"] or f.name})
        for f in fields
        if "help" in f.metadata
    }


def check(config: Any) -> None:
    """Raise ValueError for the first field of `config` that is out of its limits."""
    for name, each in knobs(config).items():
        each.check(getattr(config, name))


def exactly(value: float | int) -> str:
    """A number in as few digits as give it back exactly: 0.3, 1e-05, 30."""
    if isinstance(value, int):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
