"""Text from outside, such as a class's name, in other languages: it stands for itself, whatever it holds."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # not \{, which BibTeX counts as a brace
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "→": r"\ensuremath{\rightarrow}",
    "×": r"\ensuremath{\times}",
    "λ": r"\ensuremath{\lambda}",
    "τ": r"\ensuremath{\tau}",
    "σ": r"\ensuremath{\sigma}",
    "ε": r"\ensuremath{\epsilon}",
    **{letter: f"\\{letter}" for letter in "#$%&_"},
}


def one_line(text: str, instead: str = " ") -> str:
    """Without what would end a line, or move a terminal's cursor: names of files and classes may hold anything."""
    return "".join(letter if letter.isprintable() else instead for letter in text)


def cell(value: object) -> object:
    """For a cell of a table in a file, in one line: programs that open tables run a text that begins like a formula."""
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def latex(text: object) -> str:
    """For the text of a LaTeX document, and for the fields of a BibTeX entry: no command, and balanced braces."""
    escaped = "".join(_LATEX.get(letter, letter) for letter in one_line(str(text)))
    return escaped.replace("--", "-{}-").replace("--", "-{}-")  # else two would become a dash
