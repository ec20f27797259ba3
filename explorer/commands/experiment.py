"""Measure what one of an attack's parameters does, on many pictures.

lambda: changed pixels against fooling rate over λ. surrogate: normal against sigmoid. width: how close the smoothed
count is to the true one, against stability, over a. schedule: constant against annealed. These look at the optimised
stage alone. limit: changed pixels and fooling rate over the largest change, with pruning and polishing. Prints the
means and writes them as CSV; like sweep, it goes on where it was stopped. Another attack can be asked if it has the
parameters that the experiment varies.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from explorer.attacks import ATTACKS
from explorer.commands import engines, networks, options, pictures
from explorer.commands.sweep import INTERRUPTED, advance, check, subject
from explorer.commands.tables import aligned
from explorer.studies import EXPERIMENTS, Ledger, Study, means, to_table, write_table
from explorer.studies.experiments import Experiment

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
    engines.add_arguments(parser)
    options.add_attack(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print the means and write them."""
    args.out = args.out or Path(f"out/experiment-{args.name}.csv")
    experiment = _of_the_attack(EXPERIMENTS[args.name], args)
    settings = experiment.settings  # a bad value is refused before any work
    check(args, *experiment.by)
    ledger = Ledger(args.out.parent / "experiments.jsonl")
    with engines.engine(args) as engine:
        subjects = [subject(args.model, args)]
        study = Study(subjects, settings, ledger, batch=args.batch, engine=engine)
        finished = advance(study)
    if not finished:
        print(f"Stopped: {study.done:,} of {study.total:,} runs are kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    summary = means(to_table(study.rows()), experiment.by)
    print(f"{args.model}, {len(study.runs) // len(settings)} pictures. {experiment.question}")
    print(
        aligned(
            [
                {
                    **{name: options.shown(line[name]) for name in experiment.by},
                    **{title: float(line[name]) for name, title in experiment.columns.items()},
                }
                for line in summary.to_dict("records")
            ]
        )
    )
    write_table(summary, args.out)
    print(f"Written to {args.out}.")
    return 0


def _of_the_attack(experiment: Experiment, args: argparse.Namespace) -> Experiment:
    """The same question of the attack that was chosen, its own steps alone, with the settings that were given."""
    given = options.chosen(args)
    if varied := [name for name in experiment.values if name in given]:
        raise ValueError(f"{' and '.join(varied)} is what this experiment varies: leave it out.")
    return dataclasses.replace(experiment, base=ATTACKS[args.attack](**{"prune": False, "polish": False} | given))
