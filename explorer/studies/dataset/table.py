"""The table of a study: one line per picture and network, as CSV or Parquet, and read back as it was."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from explorer.studies.dataset.pictures import LeftOut
from explorer.studies.ledger import Row

TEXT = (
    "network", "picture", "true_class", "wrong_class", "trust", "change", "kinds", "method", "attack", "device",
    "torch", "python", "defence", "version", "picture_sha256", "network_sha256", "explorer", "code_sha256",
)  # fmt: skip
FLAGS = ("class_known", "succeeded", "settled")
COUNTS = (
    "n_pixels", "n_entries", "obscuring", "leading", "weak", "height", "width", "original_height", "original_width",
    "label", "adversarial_label", "batch",
)  # fmt: skip
ABSENT = ("", "\\N")  # in a CSV file, where a number is missing; the latter in tables of earlier versions
ESCAPED = ("\\", "=", "+", "-", "@", "\t", "\r")  # a text that begins so gets a backslash before it


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows with a type for each column; what has no value is missing."""
    frame = pd.DataFrame(rows)
    if frame.empty:
        return pd.DataFrame({name: pd.Series(dtype=_kind(name)) for name in (*TEXT, *FLAGS, *COUNTS)})
    kinds = {name: _kind(name) for name in frame if _kind(name)}
    unset = {
        name: "float64" for name in frame if name not in kinds and frame[name].isna().any()
    }  # no setting is a text
    return frame.astype(kinds | unset)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """As CSV or Parquet, by the file's ending. Raises ValueError for another ending."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".csv":
        path.write_text(to_csv(frame), encoding="utf-8", newline="")
    else:
        raise ValueError(f"{path} must end in .csv or .parquet.")


def to_csv(frame: pd.DataFrame) -> str:
    """As CSV. A text that programs which open tables would run as a formula gets a backslash before it, and so does one
    that begins with a backslash.
    """
    written = frame.copy()
    for name in written:
        if name in TEXT:
            written[name] = written[name].map(lambda text: "\\" + text if text.startswith(ESCAPED) else text)
    return written.to_csv(index=False, lineterminator="\r\n")  # a lone \r is then quoted


def read_frame(path: Path) -> pd.DataFrame:
    """The table that `write_frame` wrote. Raises ValueError with one sentence if it is none."""
    if path.suffix == ".parquet":
        return to_frame(pd.read_parquet(path).to_dict("records"))
    kinds = dict.fromkeys(TEXT, str)
    absent = {name: ABSENT for name in pd.read_csv(path, nrows=0) if name not in TEXT}
    frame = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=absent, encoding="utf-8")
    if missing := [name for name in ("network", "picture", "change") if name not in frame]:
        raise ValueError(f"{path} is no table of a study: it has no column {missing[0]}.")
    for name in frame:
        if name in TEXT:
            frame[name] = frame[name].map(lambda text: text[1:] if text.startswith("\\") else text)
    return to_frame(frame.to_dict("records"))


def left_out_frame(left_out: Sequence[LeftOut]) -> pd.DataFrame:
    """The pictures that are not attacked."""
    return pd.DataFrame([vars(each) for each in left_out], columns=["network", "picture", "kind", "reason"])


def _kind(name: str) -> str | None:
    if name in TEXT:
        return "str"
    return "bool" if name in FLAGS else "int64" if name in COUNTS else None
