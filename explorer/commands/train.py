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
    return training.run(args)
