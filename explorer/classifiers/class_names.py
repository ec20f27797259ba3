"""Names of classes, wherever they come from: they are shown, printed, written into files and chosen by."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

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


def find_class(text: str, class_names: Sequence[str], fold: Callable[[str], str]) -> int | None:
    """The class of exactly this name, else of the name that is the same once both are folded; None if there is none.

    Raises ValueError with one sentence, which lists them, if several have it.
    """
    found: list[int] = []
    for folded in (str, fold):
        found = found or [index for index, name in enumerate(class_names) if folded(name) == folded(text)]
    if len(found) > 1:
        listed = ", ".join(f"{index} ({class_names[index]})" for index in found[:10])
        raise ValueError(f"{text[:80]!r} is the name of several classes: one of {listed} is expected.")
    return found[0] if found else None


def classes_of_folders(folders: Sequence[str], class_names: Sequence[str] | None) -> list[int]:
    """The class of each folder: by its name if all are names of classes, else by its place. Raises ValueError with one
    sentence where neither fits.
    """
    found = [find_class(name, class_names or [], plain_name) for name in folders]
    if None not in found:
        return found
    if class_names is not None and len(folders) != len(class_names):
        stranger = folders[found.index(None)]
        raise ValueError(
            f"The folder {stranger!r} is no class of the network, and {len(folders)} folders are not its "
            f"{len(class_names)} classes in order."
        )
    return list(range(len(folders)))


def plain_name(name: str) -> str:
    """A class's name as it may be spelt as a folder's."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
