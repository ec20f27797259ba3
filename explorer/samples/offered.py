"""Folders of pictures that whoever runs the server offers to its visitors: EXPLORER_PICTURES, a JSON list of paths."""

import json
import os
from pathlib import Path

VARIABLE = "EXPLORER_PICTURES"


def offered_folders() -> dict[str, Path]:
    """By what each is called: its name, and its number where several have one. Raises ValueError with one sentence if
    the variable is no list of folders.
    """
    try:
        named = json.loads(os.environ.get(VARIABLE) or "[]")
        paths = [Path(each) for each in named] if isinstance(named, list) else None
    except (ValueError, TypeError):
        paths = None
    if paths is None:
        raise ValueError(f'{VARIABLE} is a JSON list of folders of pictures, such as ["/data/pictures"].')
    found: dict[str, Path] = {}
    for path in paths:
        if not path.is_dir():
            raise ValueError(f"{VARIABLE} names {path}, which is no folder.")
        name = path.resolve().name or str(path)
        title, number = name, 1
        while title in found:
            number += 1
            title = f"{name} ({number})"
        found[title] = path
    return found
