"""Train a bundled classifier on rendered road signs.

Writes its weights and its entry of the manifest, and measures it on unseen renders. It can be resumed.
"""

import argparse

from explorer import training
from explorer.commands.networks import usable_device

EXAMPLES = """examples:
  python -m explorer train signs-resnet
  python -m explorer train signs-vit --seed 1 --out out/weights --resume"""

add_arguments = training.add_arguments


def run(args: argparse.Namespace) -> int:
    """Train as the options say."""
    usable_device(args.device)
    if args.epochs is not None and args.epochs < 1:
        raise ValueError(f"--epochs must be at least 1; got {args.epochs}.")
    return training.run(args)
