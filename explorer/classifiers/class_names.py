"""Names of classes, wherever they come from: they are shown, printed, written into files and chosen by."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

MAX_CLASSES = 100_000
MAX_LENGTH = 200  # letters of one name; ImageNet's longest has 121 with all its synonyms
_NOT_IN_A_LINE = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories: controls, halves of letters, ends of lines


def checked(names: Sequence[str]) -> list[str]:
    """The names, if each is one line of text. Raises ValueError with one sentence if they are no names."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ValueError(f"The classes are a list of names, each a text; got {type(names).__name__}.")
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"2 to {MAX_CLASSES:,} classes are expected; got {len(names):,}.")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(f"The classes are a list of names, each a text; number {index} is {type(name).__name__}.")
        in_a_line = not any(unicodedata.category(letter) in _NOT_IN_A_LINE for letter in name)
        if not (name.strip() and in_a_line and len(name) <= MAX_LENGTH):
            raise ValueError(
                f"The name of a class is one line of 1 to {MAX_LENGTH} letters; number {index} is {name[:40]!a}."
            )
    return list(names)


def distinct(names: Sequence[str]) -> list[str]:
    """Class names that can be told apart: ImageNet has a crane that is a bird, and one that lifts."""
    counts = Counter(names)
    told = [name if counts[name] == 1 else f"{name} ({index})" for index, name in enumerate(names)]
    return told if len({*told}) == len(told) else [f"{name} ({index})" for index, name in enumerate(names)]
