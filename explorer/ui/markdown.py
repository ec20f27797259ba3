"""Text from outside (a file, a link, a name) as Streamlit's markdown that shows exactly this text."""

import re

_SPECIAL = re.compile(r"[\\`*\[\]<>$~|&]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word means nothing
_AT_THE_START = re.compile(r"^(#|\+|-|=|\d+(?=[.)]))")  # of headings and lists
_DIRECTIVE = re.compile(r":(?=[A-Za-z])")  # :red[...]; also :small, :shimmer
# Links that are found in plain text, icons and emoji are made after backslashes have gone. What stops them is a letter
# without width: in http://, www., me@example.com, :material/name:, :streamlit: and :smile:.
_AFTER_ESCAPES = re.compile(r"(?i)(?<=http)(?=s?://)|(?<=www)(?=\.)|(?<=[-.\w+])(?=@)|(?<=:)(?=material/|[\w+-]+:)")
_JOINER = "\N{WORD JOINER}"


def plain(text: object) -> str:
    """`text` in one line, with all that markdown would interpret made to stand for itself. In a label as in a body."""
    line = "".join(letter if letter.isprintable() else " " for letter in " ".join(str(text).split()))
    line = _AFTER_ESCAPES.sub(_JOINER, line)
    line = _SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    line = _DIRECTIVE.sub(r"\:", line)
    return _AT_THE_START.sub(lambda found: found[0] + "\\" if found[0].isdigit() else f"\\{found[0]}", line)
