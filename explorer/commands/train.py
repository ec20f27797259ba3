"""Train a bundled classifier: on rendered road signs, or on CIFAR-10.

Writes its weights and its entry of the manifest, and measures it on unseen pictures. It can be resumed.
"""

import argparse
from pathlib import Path

from explorer.classifiers import usable_device
from explorer.classifiers.bundled import ASSETS
from explorer.commands import options
from explorer.training import RECIPES, train

EXAMPLES = """examples:
  python -m explorer train signs-resnet
  python -m explorer train signs-vit --seed 1 --out out/weights --resume
  python -m explorer train cifar-resnet20 --download
  python -m explorer train cifar-vgg --data pictures/cifar10"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m explorer train`."""
    parser.add_argument("name", choices=list(RECIPES), help="the classifier to train")
    parser.add_argument("--epochs", type=options.whole, help="instead of the recipe's number")
    parser.add_argument(
        "--seed", type=options.whole, default=0, help="of the first weights and of the order of the pictures"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the weights and the manifest")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in that folder")
    add_data_arguments(parser)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Where CIFAR-10 comes from."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="where CIFAR-10 lies: train/CLASS/*.png and test/CLASS/*.png, or torchvision's cifar-10-batches-py "
        "(default: the folder that EXPLORER_CIFAR10 names, else the one that the page downloads to)",
    )
    parser.add_argument("--download", action="store_true", help="let torchvision fetch CIFAR-10 into that folder")


def run(args: argparse.Namespace) -> int:
    """Train as the options say and print the accuracy; 0 when done."""
    usable_device(args.device)
    if args.epochs is not None and args.epochs < 1:
        raise ValueError(f"--epochs must be at least 1; got {args.epochs}.")
    if not 0 <= args.seed < 2**31:
        raise ValueError(f"--seed must be from 0 to {2**31 - 1}; got {args.seed}.")
    result = train(
        args.name,
        epochs=args.epochs,
        seed=args.seed,
        device=args.device,
        out=args.out,
        resume=args.resume,
        folder=args.data,
        download=args.download,
    )
    print(f"{args.name}: {result}")
    return 0
