"""Rows as one tidy table, its means, its Pareto front, and the setting to recommend."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from explorer.folders import replace_file
from explorer.studies.ledger import Row

BOOKKEEPING = ("key", "changes")
FORMATS = (".csv", ".parquet")


def to_table(rows: Iterable[Row]) -> pd.DataFrame:
    """One line per run: network, picture, every setting, what came of it, versions."""
    return pd.DataFrame(rows).drop(columns=[*BOOKKEEPING], errors="ignore")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """As CSV or Parquet, by the file's ending; its folder is made if need be. ValueError for another ending."""
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} must end in {' or '.join(FORMATS)}.")
    content = table.to_csv(index=False).encode() if path.suffix == ".csv" else table.to_parquet(index=False)
    replace_file(path, content)


def means(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """One line per combination of `by`, in their order: runs, share fooled, and the means over pictures.

    Pixels and confidence are the means of the fooled pictures, NaN where there is none; `q25` and `q75` the quartiles
    of their pixels; `closeness`, of the smoothed count of the weights to the true one, where the attack has both.
    """
    fooled = table.where(table["succeeded"].astype(bool))
    numbers = fooled[["n_pixels", "optimised_pixels", "confidence", "converged_step"]].astype(float)
    frame = pd.concat([table[[*by]], numbers], axis=1)
    frame["success"] = table["succeeded"].astype(float)
    frame["settled"] = table["settled"].astype(float)
    frame["seconds"] = table["seconds"].astype(float)
    if "weights_smoothed_l0" in table:
        frame["closeness"] = table["weights_smoothed_l0"] / table["weights_l0"].where(table["weights_l0"] > 0)
    groups = frame.groupby([*by], sort=True, dropna=False)
    summary = groups.mean(numeric_only=True)
    summary["runs"] = groups.size()
    summary["q25"], summary["q75"] = groups["n_pixels"].quantile(0.25), groups["n_pixels"].quantile(0.75)
    return summary.rename(columns={"n_pixels": "pixels"}).reset_index()


def spread(table: pd.DataFrame, by: Sequence[str], measure: str) -> pd.DataFrame:
    """Mean and quartiles over everything but `by` of one measure: pixels, success, confidence or seconds.

    Pixels and confidence are those of the fooled pictures.
    """
    column = {"pixels": "n_pixels", "success": "succeeded"}.get(measure, measure)
    values = table[column].astype(float)
    if measure in ("pixels", "confidence"):
        values = values.where(table["succeeded"].astype(bool))
    groups = pd.concat([table[[*by]], values.rename("value")], axis=1).groupby([*by], sort=True, dropna=False)["value"]
    return pd.DataFrame(
        {"mean": groups.mean(), "q25": groups.quantile(0.25), "q75": groups.quantile(0.75)}
    ).reset_index()


def pareto_front(table: pd.DataFrame, less: str, more: str) -> pd.Series:
    """Which lines no other line beats: as little of `less` and as much of `more`, one of them strictly better."""
    low, high = table[less].to_numpy(float), table[more].to_numpy(float)
    known = ~pd.isna(low) & ~pd.isna(high)
    front = [
        known[i] and not (known & (low <= low[i]) & (high >= high[i]) & ((low < low[i]) | (high > high[i]))).any()
        for i in range(len(table))
    ]
    return pd.Series(front, index=table.index)


def best_setting(summary: pd.DataFrame) -> pd.Series | None:
    """Of the settings that fool most often, the one with the fewest pixels, then the least time; None if none fools."""
    fooling = summary[summary["success"] > 0]
    if not len(fooling):
        return None
    return fooling.sort_values(["success", "pixels", "seconds"], ascending=[False, True, True]).iloc[0]
