"""Measure what one of the attack's parameters does, on many pictures.

lambda: changed pixels against fooling rate over λ. surrogate: normal against sigmoid. width: how close the smoothed
count is to the true one, against stability, over a. schedule: constant against annealed. These look at the optimised
stage alone. limit: changed pixels and fooling rate over the largest change, with pruning and polishing. Prints the
means and writes them as CSV; like sweep, it goes on where it was stopped.
"""

import argparse
import sys
from pathlib import Path

from explorer.commands import networks, pictures
from explorer.commands.options import shown
from explorer.commands.sweep import INTERRUPTED, advance, check, subject
from explorer.commands.tables import aligned
from explorer.sweep import EXPERIMENTS, Ledger, Sweep, means, to_table, write_table

EXAMPLES = """examples:
  python -m explorer experiment lambda --model signs-resnet
  python -m explorer experiment limit --model signs-resnet --n 20
  python -m explorer experiment width --model my_network.py:load --pictures my_network.py:pictures"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which experiment, on which network and pictures, and where the table goes."""
    parser.add_argument("name", choices=list(EXPERIMENTS), help="which one; see above")
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders", batch=None)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the means, CSV or Parquet (default: out/experiment-NAME.csv)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the means and write them."""
    args.out = args.out or Path(f"out/experiment-{args.name}.csv")
    experiment = EXPERIMENTS[args.name]
    check(args)
    sweep = Sweep(
        [subject(args.model, args)],
        experiment.settings,
        Ledger(args.out.parent / "experiments.jsonl"),
        batch=args.batch,
        alone=False,
    )
    if not advance(sweep):
        print(f"Stopped: {sweep.done:,} of {sweep.total:,} runs are kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    summary = means(to_table(sweep.rows()), experiment.by)
    print(f"{args.model}, {len(sweep.runs) // len(experiment.settings)} pictures. {experiment.question}")
    print(
        aligned(
            [
                {
                    **{name: shown(line[name]) for name in experiment.by},
                    **{title: float(line[name]) for name, title in experiment.columns.items()},
                }
                for line in summary.to_dict("records")
            ]
        )
    )
    write_table(summary, args.out)
    print(f"Written to {args.out}.")
    return 0
