"""Measure a bundled classifier again: accuracy on unseen pictures, and under PGD.

For the road signs these are renders, and PGD stays within 4/255; for CIFAR-10 its test pictures, and 8/255.
"""

import argparse

from explorer.classifiers.bundled import read_manifest
from explorer.commands import options
from explorer.commands.networks import load_network
from explorer.commands.train import add_data_arguments
from explorer.training import evaluate

EXAMPLES = """examples:
  python -m explorer evaluate signs-resnet
  python -m explorer evaluate signs-robust --n 1000 --pgd-steps 50"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m explorer evaluate`."""
    parser.add_argument("name", choices=list(read_manifest()), help="the classifier to measure")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument(
        "--n", type=options.whole, help="how many unseen pictures (default: 5000 renders; all of CIFAR-10's)"
    )
    parser.add_argument("--pgd-steps", type=options.whole, default=20, help="steps of PGD; 0 leaves it out")
    add_data_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure as the options say and print the figures; 0 when done."""
    if (args.n is not None and args.n < 1) or args.pgd_steps < 0:
        raise ValueError(f"--n must be at least 1 and --pgd-steps at least 0; got {args.n} and {args.pgd_steps}.")
    load_network(args.name, args.device)  # says in one sentence what is wrong with the weights or the device
    result = evaluate(args.name, args.device, args.n, args.pgd_steps, folder=args.data, download=args.download)
    print(f"{args.name}: {result}")
    return 0
