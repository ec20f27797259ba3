"""List the classifiers: what each is, and how often it is right.

Accuracy is the share of unseen pictures that are classified correctly; robust accuracy is the same under PGD-20 within
4/255, where it was measured.
"""

import argparse

from explorer.classifiers import list_classifiers
from explorer.classifiers.bundled import read_manifest
from explorer.commands.tables import aligned

EXAMPLES = """example:
  python -m explorer list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose."""


def run(args: argparse.Namespace) -> int:
    """Print one line per classifier."""
    entries = read_manifest()
    rows = []
    for card in list_classifiers():
        entry = entries.get(card.name)
        robust = entry and entry.robust_accuracy
        rows.append(
            {
                "name": card.name,
                "dataset": card.dataset,
                "architecture": card.architecture,
                "accuracy": f"{entry.accuracy:.2%}" if entry else "–",
                "robust": f"{robust:.2%}" if robust is not None else "–",
                "parameters": entry.parameters if entry else None,
                "input": "{} × {}".format(*entry.input_size) if entry else "–",
            }
        )
    print(aligned(rows))
    return 0
