"""Every attack on every network, for the README's table: `python -m tests.measure_attacks --data DIR`.

σ-zero and SparseFool run as published, and count entries; what is compared are the pixels that these lie in. PGD0 and
Sparse-PGD are given a number of pixels, so they search for the smallest that fools. Sparse-RS is given 44, 24, 10, 5
and 1 pixels in turn, as long as it fools, with 3,000 queries each, and takes back what it does not need.

A row of assets/attacks/table.csv is one attack on 50 pictures of one network, and is written as soon as it is known:
the same command goes on where it was stopped. Time is that of the processor, on one thread, so that other programs
change it little.
"""

import argparse
import csv
import math
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch

from explorer import RandomSearch
from explorer.commands import networks, pictures
from explorer.commands.bench import named_attack
from explorer.studies.bench import TERMS
from explorer.studies.bench import fewest as fewest_of
from explorer.studies.measures import measured
from explorer.types import Images, Labels, Network, PerImage
from tests.measured_tables import ATTACKS_TABLE, WITHIN

NETWORKS = {"signs-resnet": "renders", "signs-sparse": "renders"} | dict.fromkeys(
    ("cifar-resnet20", "cifar-vgg", "cifar-vit", "cifar-pgd", "cifar-fast", "cifar-sparse"), "cifar10"
)
ATTACKS = {
    "sparse": "sparse",
    "greedy": "greedy",
    "sigma-zero": "sigma-zero-1000",
    "sparsefool": "sparsefool",
    "pgd0": "pgd0:smallest=yes:k=44",
    "sparse-pgd": "sparse-pgd:smallest=yes:k=44",
    "random": None,  # see falling
}
AT_ONCE = 50  # pictures
QUERIES = 3000
Row = dict[str, object]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(NETWORKS), metavar="NAME,...")
    parser.add_argument("--attacks", default=",".join(ATTACKS), metavar="NAME,...")
    parser.add_argument("--n", type=int, default=200, help="pictures (default: 200)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where CIFAR-10 lies, as for `bench`")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = list(csv.DictReader(ATTACKS_TABLE.read_text().splitlines())) if ATTACKS_TABLE.exists() else []
    known = {(row["network"], row["attack"], int(row["first"])) for row in rows}
    for first, attack, model in product(range(0, args.n, AT_ONCE), args.attacks.split(","), args.models.split(",")):
        if (model, attack, first) in known:
            continue
        network = networks.load_network(model, "cpu")
        images, labels = pictures.correctly_classified(network, NETWORKS[model], args.n, 0, args.data)
        some = slice(first, first + AT_ONCE)
        row = {"network": model, "attack": attack, "first": first} | _row(network, images[some], labels[some], attack)
        rows.append(row)
        _write(ATTACKS_TABLE, rows)
        print(*row.values(), sep="  ", flush=True)
    return 0


def _row(network: Network, images: Images, labels: Labels, attack: str) -> Row:
    """One attack on some pictures: the fewest changed pixels of each (-: not fooled), and passes and seconds of all."""
    named, started = ATTACKS[attack], time.process_time()
    if named is None:
        fewest, forward, backward = falling(network, images, labels)
    else:
        rows = measured(network, images, labels, named_attack(named), TERMS)
        fewest, forward, backward = fewest_of(rows), _sum(rows, "forward_passes"), _sum(rows, "backward_passes")
    pixels = " ".join(str(int(each)) if math.isfinite(each) else "-" for each in fewest.tolist())
    seconds = round(time.process_time() - started, 2)
    return {"pixels": pixels, "forward_passes": forward, "backward_passes": backward, "seconds": seconds}


def falling(network: Network, images: Images, labels: Labels) -> tuple[PerImage, float, float]:
    """Sparse-RS, with fewer pixels each time, on the pictures that were fooled with more."""
    fewest, forward, backward = torch.full((len(images),), math.inf, dtype=torch.float64), 0.0, 0.0
    left = torch.arange(len(images))
    for k in reversed(WITHIN):
        rows = measured(network, images[left], labels[left], RandomSearch(k=k, queries=QUERIES), TERMS)
        found = fewest_of(rows)
        fewest[left] = torch.minimum(fewest[left], found)
        forward, backward = forward + _sum(rows, "forward_passes"), backward + _sum(rows, "backward_passes")
        left = left[found.isfinite()]
        if not len(left):
            break
    return fewest, forward, backward


def _sum(rows: Sequence[Row], name: str) -> float:
    return sum(row[name] for row in rows)


def _write(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[-1].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
