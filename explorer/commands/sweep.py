"""Try every combination of settings on many pictures and networks.

Every setting takes several values, separated by commas. Writes one row per setting, picture and network as CSV or
Parquet, and prints the means per setting, the fewest pixels first. Only pictures that a network classifies correctly
take part. What is done is kept beside the table, in a file that ends in .jsonl: stopped with Ctrl-C or killed, the same
command goes on where it was, and a larger grid does only what is new.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from explorer.attacks import ATTACKS
from explorer.commands import engines, networks, options, pictures
from explorer.commands.tables import aligned, check_file
from explorer.folders import is_filled
from explorer.numerics import percent
from explorer.studies import Ledger, Study, Subject, grid, means, to_table, write_table
from explorer.studies.tables import FORMATS

EXAMPLES = """examples:
  python -m explorer sweep --model signs-resnet --a 0.03,0.1,0.3 --lam 0.3,1,3 --tau 0.02,0.05 --n 10
  python -m explorer sweep --model signs-resnet,signs-vit --surrogate normal,sigmoid --steps 50,100 --no-polish
  python -m explorer sweep --model signs-resnet --attack random --queries 1000,3000 --k 12,24
  python -m explorer sweep --model my_network.py:load --pictures photographs/ --lam 0.1,1,10 --out out/own.parquet"""

ROWS = 20  # of the printed table; the file has them all
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which networks and pictures, the grid, the other settings, and where the rows go."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="gallery", batch=None)
    parser.add_argument(
        "--out", type=Path, default=Path("out/sweep.csv"), metavar="FILE", help="the rows (default: out/sweep.csv)"
    )
    parser.add_argument("--restart", action="store_true", help="forget what an earlier sweep into the same file did")
    engines.add_arguments(parser)
    options.add_attack(parser, lists=True)


def run(args: argparse.Namespace) -> int:
    """Attack, write the rows, print the means."""
    given, kind = options.chosen(args, lists=True), ATTACKS[args.attack]
    values = {name: [*dict.fromkeys(of)] for name, of in given.items() if isinstance(of, list)}
    base = kind(**{name: value for name, value in given.items() if name not in values})
    settings = grid(base, values)  # a bad value is refused before any work
    check(args)
    kept = args.out.with_suffix(".jsonl")
    if is_filled(args.out) and not kept.exists():
        raise ValueError(
            f"{args.out} is no table of a sweep that {kept.name} knows: name another file, or move it away."
        )
    ledger = Ledger(kept)
    if args.restart:
        kept.unlink(missing_ok=True)
        ledger = Ledger(kept)
    with engines.engine(args) as engine:
        subjects = [subject(name, args) for name in dict.fromkeys(args.model.split(","))]
        study = Study(subjects, settings, ledger, batch=args.batch, engine=engine)
        finished = advance(study)
    rows = study.rows()
    if rows:
        table = to_table(rows)
        write_table(table, args.out)
        by = [*["network"] * (len(subjects) > 1), *(name for name in values if len(values[name]) > 1)]
        print(f"{args.model}: {len(settings):,} settings on {_pictures(subjects)}; their means")
        print_means(table, by or [*kind.main])
    if not finished:
        print(f"Stopped: {study.done:,} of {study.total:,} runs are kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    print(f"All {len(rows):,} rows are in {args.out}.")
    return 0


def check(args: argparse.Namespace, *columns: str) -> None:
    """Raise ValueError for a batch or a file that cannot be. `columns`: see check_file."""
    if args.batch is not None and args.batch < 1:
        raise ValueError(f"--batch must be at least 1; got {args.batch}.")
    check_file(args.out, *columns)
    if args.out.suffix not in FORMATS:
        raise ValueError(f"--out must end in {' or '.join(FORMATS)}; got {args.out}.")


def subject(name: str, args: argparse.Namespace) -> Subject:
    """The network of this name and the pictures that it classifies correctly."""
    network = networks.load_network(name, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, seed=0, data=args.data)
    return Subject(name, network, images, labels)


def advance(study: Study) -> bool:
    """Do all that is left, with progress and time left; False if it was stopped with Ctrl-C."""
    with tqdm(total=study.total, initial=study.done, unit="run", disable=None, leave=False) as bar:
        try:
            while study.advance():
                bar.update(study.done - bar.n)
        except KeyboardInterrupt:
            return False
    return True


def print_means(table: pd.DataFrame, by: list[str]) -> None:
    """The settings that fool most often and need the fewest pixels, first."""
    summary = means(table, by).sort_values(["success", "pixels"], ascending=[False, True])
    rows = [
        {
            **{name: options.shown(line[name]) for name in by},
            "fooled": percent(line["success"], 1),
            "pixels": line["pixels"],
            "quartiles": f"{line['q25']:.0f} to {line['q75']:.0f}" if line["success"] else None,
            "optimised": line["optimised_pixels"],
            "confidence": line["confidence"],
            "seconds": line["seconds"],
        }
        for line in summary.to_dict("records")
    ]
    print(aligned(rows[:ROWS]))


def _pictures(subjects: list[Subject]) -> str:
    counts = [len(each.images) for each in subjects]
    return " and ".join(f"{count:,} correctly classified pictures" for count in dict.fromkeys(counts))
