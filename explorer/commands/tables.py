"""Tables: aligned for the terminal, and as CSV files."""

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.folders import is_filled, replace_file
from explorer.numerics import Share, percent
from explorer.pipeline import cell, one_line


def aligned(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows under the first row's keys, in columns: text to the left, numbers to the right, alike in a column."""
    columns = [_column(head, [row[head] for row in rows]) for head in rows[0]]
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def check_file(path: Path, *columns: str) -> None:
    """Before anything is measured: the table can be written to `path`, and what is there is an earlier one, which
    begins with these columns, or nothing. Raises ValueError with one sentence.
    """
    folder = next((each for each in path.absolute().parents if each.exists()), path)
    if not folder.is_dir() or path.is_dir():
        raise ValueError(f"--out must be a file in a folder; got {path}.")
    if path.exists() and not path.is_file():
        return  # a device, or a pipe
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{path} cannot be written: {folder} can only be read.")
    if columns and path.suffix != ".parquet" and is_filled(path):
        with path.open("rb") as file:
            head = file.readline().decode("utf-8", errors="replace")
        if not head.startswith(",".join([*columns, ""])):
            raise ValueError(f"{path} is no table of this command: name another file, or move it away.")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows as a CSV file with the numbers in full; its folder is made if need be."""
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows({key: "" if _unknown(value) else cell(value) for key, value in row.items()} for row in rows)
    replace_file(path, file.getvalue().encode())


def written_share(share: Share) -> str:
    """In per cent, with its interval; a dash where there is none."""
    low, high = share.interval
    return f"{percent(share.value)} ({100 * low:.0f} to {100 * high:.0f})" if share.of else "–"


def _column(head: str, values: Sequence[Any]) -> list[str]:
    known = [value for value in values if not _unknown(value)]
    decimals = 2 if any(isinstance(value, float) and abs(value) >= 10 for value in known) else 3
    cells = [head, *("–" if _unknown(value) else _cell(value, decimals) for value in values)]
    width = max(map(len, cells))
    is_text = any(isinstance(value, str) for value in known)
    return [cell.ljust(width) if is_text else cell.rjust(width) for cell in cells]


def _cell(value: Any, decimals: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.{decimals}f}"
    return f"{value:,}" if isinstance(value, int) else one_line(str(value), "?")


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
