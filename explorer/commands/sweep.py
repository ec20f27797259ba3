"""Try every combination of a, lambda and tau on many pictures.

Writes one row per setting and picture as CSV, and prints the means per setting, the fewest pixels first. Only pictures
that the network classifies correctly take part.
"""

import argparse
import dataclasses
from itertools import groupby
from pathlib import Path
from statistics import fmean

from tqdm import tqdm

from explorer.attacks import SparseAttack
from explorer.commands import networks, options, pictures
from explorer.commands.tables import aligned, write_csv
from explorer.sweep import grid, sweep

EXAMPLES = """examples:
  python -m explorer sweep --model signs-resnet --a 0.03,0.1,0.3 --lam 0.3,1,3 --tau 0.02,0.05 --n 10
  python -m explorer sweep --model my_network.py:load --pictures photographs/ --lam 0.1,1,10 --steps 200"""

GRID = ("a", "lam", "tau")
ROWS = 20  # of the printed table; the file has them all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network and pictures, the grid, the other settings, and where the rows go."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="gallery")
    parser.add_argument(
        "--out", type=Path, default=Path("out/sweep.csv"), metavar="FILE", help="the rows (default: out/sweep.csv)"
    )
    options.add_knobs(parser, SparseAttack, lists=GRID)


def run(args: argparse.Namespace) -> int:
    """Attack, write the rows, print the means."""
    given = options.chosen(args, SparseAttack)
    lists = [given.pop(name, [getattr(SparseAttack, name)]) for name in GRID]
    attack = SparseAttack(**given)
    settings = grid(*lists)
    for a, lam, tau in settings:
        dataclasses.replace(attack, a=a, lam=lam, tau=tau)  # a bad value is refused before any work
    if args.batch < 1:
        raise ValueError(f"--batch must be at least 1; got {args.batch}.")
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, seed=0)

    with tqdm(total=len(settings) * len(images), unit="run", disable=None, leave=False) as bar:
        rows = sweep(network, images, labels, settings, attack, batch=args.batch, on_progress=bar.update)
    write_csv(args.out, rows)
    means = [
        _mean(setting, list(of)) for setting, of in groupby(rows, key=lambda row: tuple(row[name] for name in GRID))
    ]
    means.sort(key=lambda mean: (-mean["fooled"], mean["pixels"]))
    print(f"{args.model}: {len(settings)} settings, each on {len(images)} correctly classified pictures; their means")
    print(aligned([{**mean, "fooled": f"{mean['fooled']:.1%}"} for mean in means[:ROWS]]))
    print(f"All {len(rows):,} rows are in {args.out}.")
    return 0


def _mean(setting: tuple[float, ...], rows: list[dict]) -> dict[str, object]:
    stages = [key for key in rows[0] if key.endswith("_pixels") and key != "n_pixels"]
    return {
        **{name: f"{value:g}" for name, value in zip(GRID, setting, strict=True)},
        "fooled": fmean(row["succeeded"] for row in rows),
        "pixels": fmean(row["n_pixels"] for row in rows),
        **{key.removesuffix("_pixels"): fmean(row[key] for row in rows) for key in stages},
    }
