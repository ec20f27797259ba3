"""Text from outside, such as a class's name, in other languages: it stands for itself, whatever it holds."""


def one_line(text: str, instead: str = " ") -> str:
    """Without what would end a line, or move a terminal's cursor: names of files and classes may hold anything."""
    return "".join(letter if letter.isprintable() else instead for letter in text)
