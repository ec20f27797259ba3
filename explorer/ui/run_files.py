"""The files of long runs: results and studies that a link finds again, in a folder that may hold other people's too."""

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from explorer.folders import cache_folder, home, is_installed
from explorer.studies import BEGINS
from explorer.studies.tuning import MAGIC
from explorer.ui.stores import server_wide

ROOT = Path(
    os.environ.get("EXPLORER_RUNS")
    or (cache_folder() / "sparse-attack-explorer" if is_installed() else home()) / "runs"
)
RESTING = 24 * 3600.0  # seconds without use before a run may go: what another server works on was used just now
OURS = re.compile(r"([0-9a-f]{32})\.(jsonl|db)")
BEGINNINGS = {".jsonl": BEGINS, ".db": MAGIC}
JOURNALS = ("-journal", "-wal", "-shm")  # that SQLite keeps beside a database


@server_wide
def folder() -> Path:
    """Where runs are kept: beside the app (where it is installed, in the user's cache), or, if it may not write there,
    in a folder of this server's own.
    """
    try:
        ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=ROOT):
            return ROOT
    except OSError:
        return Path(tempfile.mkdtemp(prefix="sparse-attack-explorer-"))


def key_of(*known: Any) -> str:
    """The same for two people who ask for the same: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:32]


def file_for(key: str, suffix: str) -> Path:
    """The file of the run of this key, ".jsonl" or ".db", whether there is one or not. One that is there counts as
    used. Raises ValueError with one sentence if what is there is no file.
    """
    path = folder() / f"{key}{suffix}"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ValueError(f"{path.name} in the folder of this server's runs is no file: it must be moved away first.")
    with suppress(OSError):  # it is not there, or is somebody else's
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    return path


def make_room(used: Collection[Path], kept: int) -> None:
    """Before a run makes a new file: delete those of the runs that were not used for longest, so that `kept` stay.

    Only what has the name of a run's file, and begins like one, is ever touched, and nothing that is in `used` or was
    used of late: other programs call files by their hash as well.
    """
    since = {path: _last_used(path) for path in folder().iterdir() if OURS.fullmatch(path.name)}
    runs = sorted((path for path, when in since.items() if when is not None), key=since.get)
    for path in runs[: max(0, len(runs) - kept)]:
        if path not in used and time.time() - since[path] > RESTING and _is_ours(path):
            for each in (path, *(path.with_name(path.name + journal) for journal in JOURNALS)):
                each.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(len(BEGINNINGS[path.suffix]))
    except OSError:
        return False
    return head in (b"", BEGINNINGS[path.suffix])


def _last_used(path: Path) -> float | None:
    """In seconds since 1970; None for what is no file, or is gone already."""
    try:
        return max(path.stat().st_atime, path.stat().st_mtime) if path.is_file() else None
    except FileNotFoundError:
        return None
