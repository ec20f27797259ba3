"""What `python -m explorer transfer` has measured on the networks for road signs: comes with the project."""

import csv
from dataclasses import dataclass
from functools import cache

from explorer.folders import ASSETS
from explorer.numerics import Share
from explorer.studies.transfer import PARTS, Part

FILE = ASSETS / "transfer" / "signs.csv"


@dataclass(frozen=True)
class Measured:
    """The command's table."""

    attacks: tuple[str, ...]  # names as on the command line
    networks: tuple[str, ...]
    pictures: int  # at most, of a cell
    shares: dict[tuple[str, str, str], dict[Part, Share]]  # by attack, source and target

    def matrix(self, attack: str, part: Part) -> list[list[Share]]:
        """Row by row: attacked networks; in each, those that look."""
        return [[self.shares[attack, source, target][part] for target in self.networks] for source in self.networks]


@cache
def measured() -> Measured:
    """From its file."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counts = [int(row["pictures"]) for row in rows]
    shares = {
        (row["attack"], row["source"], row["target"]): {
            part: Share(round(float(row[part]) * n), n) if n else Share(0, 0) for part in PARTS
        }
        for row, n in zip(rows, counts, strict=True)
    }
    attacks, networks, _ = (tuple(dict.fromkeys(each)) for each in zip(*shares, strict=True))
    return Measured(attacks, networks, max(counts), shares)
