"""A person's own Python, named on the command line as FILE.py:FUNCTION."""

import hashlib
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any


def is_code(text: str) -> bool:
    """Whether `text` names a function in a Python file."""
    return ".py:" in text


def described(error: BaseException, most: int | None = None) -> str:
    """The kind of an error of somebody else's code, and what it says, in one line; of that, `most` letters."""
    told = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {told[:most]}"


def call(text: str) -> Any:
    """What FUNCTION of FILE.py, called without arguments, returns. The file may import its neighbours.

    Raises ValueError with one sentence, which names the line where the person's code failed.
    """
    file, _, name = text.rpartition(":")
    path = Path(file).resolve()
    if not path.is_file():
        raise ValueError(f"There is no file {file}.")
    try:
        function = getattr(_module(path), name, None)
        result = function() if callable(function) else None
    except (Exception, SystemExit) as error:  # it may raise anything; its author needs the place, not our frames
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{file}, line {lines[-1]}" if lines else file
        raise ValueError(f"{where}: {described(error)}") from error
    if not callable(function):
        raise ValueError(f"{file} has no function {name}.")
    return result


def _module(path: Path) -> ModuleType:
    """The file, as it is now, as a module that can be imported by its name, so that its classes can be pickled and the
    workers of a DataLoader find it.
    """
    name, content = path.stem, hashlib.sha256(path.read_bytes()).digest()
    if getattr(sys.modules.get(name), "__file__", str(path)) != str(path):  # somebody else's, such as torch
        name += "_" + hashlib.sha256(str(path).encode()).hexdigest()[:8]
    if name not in sys.modules or _contents.get(name, content) != content:
        sys.path.insert(0, str(path.parent))  # as Python itself does for a program
        spec = spec_from_file_location(name, path)
        module = sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        _contents[name] = content
    return sys.modules[name]


_contents: dict[str, bytes] = {}  # fingerprints of what the modules were made of
