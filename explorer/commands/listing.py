"""List the classifiers: what each is, what it needs, and how often it is right.

Accuracy is the share of unseen pictures that are classified correctly: for ImageNet as torchvision states it, for the
others as measured here. Robust accuracy is the same under PGD-20, within 4/255 on road signs and 8/255 on CIFAR-10,
where it was measured; sparse accuracy the same under four sparse attacks that change so many pixels, see evaluate.
Memory is about what an attack on one picture with its evidence takes, beside the program's own.
"""

import argparse
import json

from explorer.classifiers import Card, list_classifiers
from explorer.commands.tables import aligned

EXAMPLES = """examples:
  python -m explorer list
  python -m explorer list --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose but the form."""
    parser.add_argument("--json", action="store_true", help="as JSON, with bytes and shares as numbers")


def run(args: argparse.Namespace) -> int:
    """Print one line per classifier."""
    cards = list_classifiers()
    print(json.dumps([_facts(card) for card in cards], indent=1) if args.json else aligned(list(map(_row, cards))))
    return 0


def _row(card: Card) -> dict[str, object]:
    return {
        "name": card.name,
        "source": card.source,
        "dataset": card.dataset,
        "architecture": card.architecture,
        "accuracy": _percent(card.accuracy),
        "robust": _percent(card.robust_accuracy),
        "sparse": _sparse(card),
        "parameters": card.parameters,
        "input": "{} × {}".format(*card.input_size),
        "download": f"{card.download.n_bytes / 1e6:,.0f} MB" if card.download else "–",
        "memory": f"{card.attack_bytes / 1e6:,.0f} MB",
        "here": card.available,
    }


def _facts(card: Card) -> dict[str, object]:
    return {
        "name": card.name,
        "title": card.title,
        "source": card.source,
        "dataset": card.dataset,
        "architecture": card.architecture,
        "summary": card.summary,
        "accuracy": card.accuracy,
        "robust_accuracy": card.robust_accuracy,
        "eps": card.eps,
        "sparse_accuracy": card.sparse_accuracy,
        "sparse_pixels": card.sparse_pixels,
        "parameters": card.parameters,
        "input_size": list(card.input_size),
        "download_bytes": card.download.n_bytes if card.download else 0,
        "download_url": card.download.url if card.download else None,
        "attack_bytes": card.attack_bytes,
        "available": card.available,
    }


def _sparse(card: Card) -> str:
    return "–" if card.sparse_accuracy is None else f"{card.sparse_accuracy:.1%} at {card.sparse_pixels}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
