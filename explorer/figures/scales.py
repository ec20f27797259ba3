"""Which axes are logarithmic, where a value lies between the stops of a grid, and how numbers are written."""

import math
from collections.abc import Sequence
from typing import Any

DECADE = 10.0


def spans_decades(values: Sequence[Any]) -> bool:
    """Whether the values are positive numbers whose largest is ten times the smallest or more."""
    numbers = [value for value in values if _number(value)]
    return bool(numbers) and len(numbers) == len(values) and min(numbers) > 0 and max(numbers) >= DECADE * min(numbers)


def log_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers for a logarithmic axis over these values; the fewer a decade, the more decades there are."""
    low, high = math.log10(min(values)), math.log10(max(values))
    digits = (1, 2, 5) if high - low < 1.5 else (1, 3) if high - low < 4 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    return [digit * 10.0**decade for decade in decades for digit in digits]


def place(value: Any, stops: Sequence[Any]) -> float | None:
    """Where `value` lies among the ordered `stops`, counted from 0, fractions between two; None if it is outside."""
    if value in stops:
        return float([*stops].index(value))
    if not _number(value) or not all(map(_number, stops)) or not stops or not stops[0] <= value <= stops[-1]:
        return None
    scale = math.log if stops[0] > 0 else float
    after = next(i for i, stop in enumerate(stops) if stop > value)
    low, high = scale(stops[after - 1]), scale(stops[after])
    return after - 1 + (scale(value) - low) / (high - low)


def short(value: Any) -> str:
    """A value as it stands on an axis or in a cell."""
    if value is None or (_number(value) and math.isnan(value)):
        return "–"
    if not _number(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
