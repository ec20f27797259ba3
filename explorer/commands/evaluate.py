"""Measure a bundled classifier again: accuracy on unseen renders, and under PGD within 4/255."""

import argparse

from explorer import training
from explorer.commands.networks import load_network

EXAMPLES = """examples:
  python -m explorer evaluate signs-resnet
  python -m explorer evaluate signs-robust --n 1000 --pgd-steps 50"""

add_arguments = training.add_evaluate_arguments


def run(args: argparse.Namespace) -> int:
    """Measure as the options say."""
    if args.n < 1 or args.pgd_steps < 0:
        raise ValueError(f"--n must be at least 1 and --pgd-steps at least 0; got {args.n} and {args.pgd_steps}.")
    load_network(args.name, args.device)  # says in one sentence what is wrong with the weights or the device
    return training.run_evaluate(args)
