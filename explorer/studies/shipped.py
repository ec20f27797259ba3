"""Runs that come with the project, so that the Tune page opens with a finished grid: `python -m tests.ship_results`
makes them. They count for the same network, picture, setting and code of the attack; torch may be built another way.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from explorer.attacks import Attack
from explorer.folders import ASSETS
from explorer.studies.ledger import Row
from explorer.studies.plan import Terms, run_key

FOLDER = ASSETS / "shipped" / "grids"


def find_shipped(setting: Attack, picture: str, label: int, network: str, terms: Terms = Terms()) -> Row | None:
    """The row of this run, or None. `picture` and `network` are fingerprints. It has no time: it was done elsewhere."""
    keys = (run_key(setting, picture, label, network, terms, build) for build in _builds().get(network, ()))
    return next((row for key in keys if (row := _known().get(key)) is not None), None)


def write(path: Path, rows: Sequence[Row]) -> None:
    """The first row in full, then of each what is not as in the first; no times, which are another computer's."""
    first, *rest = ({**row, "seconds": None} for row in rows)
    lines = [first, *({name: value for name, value in row.items() if value != first[name]} for row in rest)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")


def read(path: Path) -> list[Row]:
    """What was written; nothing if there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return [rows[0] | row for row in rows]


@cache
def _known() -> dict[str, Row]:
    return {row["key"]: row for path in sorted(FOLDER.glob("*.jsonl")) for row in read(path)}


@cache
def _builds() -> dict[str, set[str]]:
    """The versions of torch that the runs of each network were done with."""
    builds: dict[str, set[str]] = {}
    for row in _known().values():
        builds.setdefault(row["network_sha256"], set()).add(row["torch"])
    return builds
