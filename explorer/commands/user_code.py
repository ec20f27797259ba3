"""A person's own Python, named on the command line as FILE.py:FUNCTION."""

import runpy
import sys
import traceback
from pathlib import Path
from typing import Any


def is_code(text: str) -> bool:
    """Whether `text` names a function in a Python file."""
    return ".py:" in text


def call(text: str) -> Any:
    """What FUNCTION of FILE.py, called without arguments, returns. The file may import its neighbours.

    Raises ValueError with one sentence, which names the line where the person's code failed.
    """
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"There is no file {file}.")
    sys.path.insert(0, str(path.parent.resolve()))  # as Python itself does for a program
    try:
        function = runpy.run_path(str(path)).get(name)
        result = function() if callable(function) else None
    except Exception as error:  # it may raise anything, and its author needs the place, not this program's frames
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{file}, line {lines[-1]}" if lines else file
        raise ValueError(f"{where}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise ValueError(f"{file} has no function {name}.")
    return result
