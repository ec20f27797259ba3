"""Folders: where the app and its assets lie, what a person put into one, and the user's own cache."""

import json
import os
import tempfile
from pathlib import Path

# What systems and tools leave in every folder. All else of this kind begins with a dot: ._x.png, .ipynb_checkpoints.
_LEFT_BEHIND = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"}
_LEFT_BEHIND |= {"system volume information", "__pycache__"}


_SHIPPED = Path(__file__).parent / "shipped"  # in a wheel: what lies beside the package in the repository


def home() -> Path:
    """The folder that holds app.py, assets/ and .streamlit/: the repository, or, installed, a part of the package."""
    return _SHIPPED if _SHIPPED.is_dir() else Path(__file__).parents[1]


def app_file() -> Path:
    """The program that Streamlit runs."""
    return home() / "app.py"


def is_installed() -> bool:
    """Whether the package was installed, so that its folder is no place to write to."""
    return home() == _SHIPPED


ASSETS = home() / "assets"  # weights and their manifest, sample pictures, what was measured, styles


def visible(folder: Path) -> list[Path]:
    """The files and folders in `folder` that somebody meant to be there, in order. Raises ValueError with one sentence
    if it cannot be read.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    return [path for path in found if not path.name.startswith(".") and path.name.casefold() not in _LEFT_BEHIND]


def cache_folder() -> Path:
    """Where the user's programs keep what they can fetch again: XDG_CACHE_HOME, else .cache in the home folder. A user
    without one, as in a container, has the system's folder for temporary files.
    """
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no HOME, and the user's number is not in the list of users
        return Path(tempfile.gettempdir())


def is_filled(path: Path) -> bool:
    """Whether a file lies there, with anything in it."""
    return path.is_file() and path.stat().st_size > 0


def has_key(path: Path, key: str) -> bool:
    """Whether this is a file of JSON, an object with this key."""
    try:
        return key in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def check_is_folder(out: Path) -> None:
    """Before a folder is made, or written into. Raises ValueError with one sentence."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out names a folder; {out} is a file.")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole: who stops the program, or has no room left, finds the one before, or this one. Its
    folder is made if need be. Where a link is, its file is written; a device, or a pipe, is written into.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
