"""Folders: what a person put into one, and where the user's own cache is."""

import os
import tempfile
from pathlib import Path

# What systems and tools leave in every folder. All else of this kind begins with a dot: ._x.png, .ipynb_checkpoints.
_LEFT_BEHIND = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "lost+found"}
_LEFT_BEHIND |= {"system volume information", "__pycache__"}


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
