"""What has been done, one JSON line per run, in a file that only ever grows: stopped or killed, nothing is lost."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
BEGINS = b'{"key": "'  # every line, also the first of a program that was killed in it


class Ledger:
    """Rows by their key. Without a path they are kept in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        """Reads what `path` holds; a line that is broken, as the last one of a killed program, counts as not done.
        Raises ValueError with one sentence if it is another program's file.
        """
        self.path = path
        self.rows: dict[str, Row] = {}
        if path is None or not path.exists():
            return
        try:
            content = path.read_bytes() if path.is_file() else b"nothing that ends"
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
        for line in content.splitlines():
            try:
                row = json.loads(line)
                self.rows[row["key"]] = row
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
        if content and not self.rows and not content.startswith(BEGINS):
            raise ValueError(f"{path} is not the file of a sweep: move it away, or give the table another name.")

    def append(self, rows: Iterable[Row]) -> None:
        """Add rows, each with its "key"; they are on the disk when this returns."""
        rows = list(rows)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                broken = file.tell() and not self._ends_well()
                lines = "".join(json.dumps(row) + "\n" for row in rows)
                file.write(("\n" * broken + lines).encode())
        self.rows |= {row["key"]: row for row in rows}

    def _ends_well(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"
