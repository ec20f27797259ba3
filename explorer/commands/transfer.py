"""Does an attack carry over? Attack pictures on each network, and show the result to all of them.

For each network that is attacked (source) and each that looks (target): how often the target is fooled, of the pictures
that both see correctly and whose attack fools the source. By the whole change, by its obscuring pixels only, and by its
leading ones only; the other pixels are put back. With --together, all networks but one are attacked at once as well:
what fools several carries over more often to the one that was left out, and so does what fools by a lead (:kappa=10).
In brackets 95 % intervals (Wilson).
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from explorer.commands import networks, options, pictures
from explorer.commands.bench import named_attack
from explorer.commands.tables import aligned, check_file, write_csv, written_share
from explorer.studies.transfer import PARTS, Cell, Transfer

EXAMPLES = """attacks:
  Named as in `bench`, e.g. sparse, sparse-paper, greedy, sparse:a=0.2

examples:
  python -m explorer transfer --models signs-resnet,signs-cnn,signs-vit,signs-robust
  python -m explorer transfer --models signs-resnet,signs-vit --attack sparse,sparse-paper --n 50 --out out/transfer.csv
  python -m explorer transfer --models signs-cnn,my_network.py:load --pictures renders --n 20
  python -m explorer transfer --models signs-resnet,signs-cnn,signs-vit --together --attack sparse,sparse:kappa=10"""

DEFAULT_ATTACKS = "sparse,sparse-paper"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which networks, pictures and attacks, and where the table goes."""
    parser.add_argument(
        "--models",
        required=True,
        metavar="NAME,...",
        help="two networks or more that know the same classes, each named as `attack --model` does",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    pictures.add_arguments(parser, default="gallery", n=20, batch=5, correct=False)
    parser.add_argument(
        "--seed", type=options.whole, default=0, help="chooses other renders, or others of a folder (default: 0)"
    )
    parser.add_argument(
        "--attack", default=DEFAULT_ATTACKS, metavar="NAME,...", help=f"see below (default: {DEFAULT_ATTACKS})"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="also attack all networks but one, as one whose probabilities are the mean of theirs (arXiv 1611.02770)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/transfer.csv"), metavar="FILE", help="(default: out/transfer.csv)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print one matrix per attack and part, and write all of it."""
    check_file(args.out, "attack", "source")
    attacks = {name: named_attack(name) for name in args.attack.split(",")}
    loaded = {name: networks.load_network(name, args.device) for name in args.models.split(",")}
    images, labels = pictures.labelled(next(iter(loaded.values())), args.pictures, args.n, args.seed, args.data)
    transfer = Transfer(loaded, images, labels, attacks, together=args.together, batch=args.batch)
    right = ", ".join(f"{name} {int(flags.sum())}" for name, flags in transfer.right.items())
    print(f"{len(images)} pictures from {args.pictures}; seen correctly: {right}", flush=True)
    with tqdm(total=transfer.total, unit="part", disable=None, leave=False) as bar:
        while transfer.advance():
            bar.update(transfer.done - bar.n)
    for name in attacks:
        print(f"\n{name}")
        print(aligned([_source(transfer, name, source) for source in transfer.sources]))
        for part, title in PARTS.items():
            print(f"\n{name}, {title}: fooled, row attacked, column looks")
            rows = [{"": source} | dict.fromkeys(loaded, "") for source in transfer.sources]
            cells = iter(transfer.cells(name))
            print(aligned([{head: row[""] if not head else written_share(next(cells).fooled[part]) for head in row}
                           for row in rows]))  # fmt: skip
    write_csv(args.out, [_record(cell) for name in attacks for cell in transfer.cells(name)])
    print(f"\nWritten to {args.out}.")
    return 0


def _source(transfer: Transfer, attack: str, source: str) -> dict[str, object]:
    """How the attack did on the network that it was made on."""
    shots = [shot for shot in transfer.shots(attack, source) if shot.succeeded]
    of = max(1, len(shots))
    return {
        "attacked": source,
        "fooled itself": written_share(transfer.success(attack, source)),
        "pixels, mean": transfer.mean_pixels(attack, source),
        "obscuring, mean": sum(shot.n_pixels["obscuring"] for shot in shots) / of,
        "leading, mean": sum(shot.n_pixels["leading"] for shot in shots) / of,
    }


def _record(cell: Cell) -> dict[str, object]:
    """The cell for the file, each share in four columns."""
    record: dict[str, object] = {"attack": cell.attack, "source": cell.source, "target": cell.target}
    record["pictures"] = len(cell.shots)
    for part, share in cell.fooled.items():
        low, high = share.interval
        record |= {part: share.value, f"{part}_low": low, f"{part}_high": high}
    return record
