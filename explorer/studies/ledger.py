"""What has been done, one JSON line per run, in a file that only ever grows: stopped or killed, nothing is lost."""

import json
import os
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
        self._unwritten: list[Row] = []
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
            raise ValueError(f"{path} is not the file of a study: move it away, or give the table another name.")

    def append(self, rows: Iterable[Row]) -> None:
        """Add rows, each with its "key"; they are in the file when this returns. See flush for when they cannot be."""
        rows = list(rows)
        self.rows |= {row["key"]: row for row in rows}
        self._unwritten += rows
        self.flush()

    def flush(self) -> None:
        """Write what could not be written before. Raises ValueError with one sentence if it still cannot, as on a full
        disk; the file is then as it was, and the rows are kept here.
        """
        if self.path is None or not self._unwritten:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                self._write(file)
        except OSError as error:
            raise ValueError(
                f"{self.path} cannot be written: {error.strerror}. What it held before is still there, and once it can "
                "be written again, the same study goes on."
            ) from error
        self._unwritten = []

    def _write(self, file: Any) -> None:
        end = file.tell()
        lines = "".join(json.dumps(row) + "\n" for row in self._unwritten).encode()
        left = memoryview(b"\n" * bool(end and not self._ends_well()) + lines)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            if os.path.isfile(self.path):
                file.truncate(end)
            raise

    def _ends_well(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"
