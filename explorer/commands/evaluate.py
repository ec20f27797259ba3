"""Measure a bundled classifier again: accuracy on unseen pictures, under PGD, and under sparse attacks.

For the road signs these are renders, and PGD stays within 4/255; for CIFAR-10 its test pictures, and 8/255. Under
sparse attacks a picture counts as right if neither Sparse-PGD, with either gradient, nor Sparse-RS nor the greedy
search fools the network with so many pixels.
"""

import argparse

from explorer.classifiers.bundled import read_manifest
from explorer.commands import options
from explorer.commands.networks import load_network
from explorer.commands.train import add_data_arguments
from explorer.training import N_SPARSE, evaluate

EXAMPLES = """examples:
  python -m explorer evaluate signs-resnet
  python -m explorer evaluate signs-robust --n 1000 --pgd-steps 50
  python -m explorer evaluate signs-resnet --n 500 --pgd-steps 0 --sparse-pixels 10 --sparse-n 100"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m explorer evaluate`."""
    parser.add_argument("name", choices=list(read_manifest()), help="the classifier to measure")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument(
        "--n", type=options.whole, help="how many unseen pictures (default: 5000 renders; all of CIFAR-10's)"
    )
    parser.add_argument("--pgd-steps", type=options.whole, default=20, help="steps of PGD; 0 leaves it out")
    parser.add_argument(
        "--sparse-pixels",
        type=options.whole,
        metavar="K",
        help="pixels that the sparse attacks may change; 0 leaves them out (default: as many as the classifier was "
        "trained against, if any)",
    )
    parser.add_argument(
        "--sparse-n",
        type=options.whole,
        default=N_SPARSE,
        metavar="N",
        help=f"how many of the pictures the sparse attacks see, the first ones (default: {N_SPARSE})",
    )
    add_data_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure as the options say and print the figures; 0 when done."""
    if (args.n is not None and args.n < 1) or args.pgd_steps < 0:
        raise ValueError(f"--n must be at least 1 and --pgd-steps at least 0; got {args.n} and {args.pgd_steps}.")
    if (args.sparse_pixels or 0) < 0 or args.sparse_n < 1:
        raise ValueError(
            f"--sparse-pixels must be at least 0 and --sparse-n at least 1; got {args.sparse_pixels}, {args.sparse_n}."
        )
    load_network(args.name, args.device)  # says in one sentence what is wrong with the weights or the device
    result = evaluate(
        args.name,
        args.device,
        args.n,
        args.pgd_steps,
        folder=args.data,
        download=args.download,
        sparse_pixels=args.sparse_pixels,
        sparse_n=args.sparse_n,
    )
    print(f"{args.name}: {result}")
    if result.sparse:
        print("right after each attack: " + ", ".join(f"{name} {of:.1%}" for name, of in result.sparse.after.items()))
    return 0
