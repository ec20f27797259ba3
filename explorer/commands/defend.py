"""Try defences: filters in front of a classifier, and attacks that know of them.

For each defence: the share of clean pictures that is still seen correctly, and what that costs; the share of ready-made
attacks that still fool behind it; and how often, with how many pixels, the same attack fools when it is made on the
classifier together with the defence. A second attack, a random search, which needs no gradients, checks whether they
mislead. In brackets 95 % intervals (Wilson). All pictures are such as the classifier alone sees correctly.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from explorer.commands import networks, options, pictures
from explorer.commands.bench import named_attack
from explorer.commands.tables import aligned, check_file, write_csv, written_share
from explorer.defences import DEFENCES, Defence
from explorer.numerics import Share
from explorer.studies.resistance import NONE, Resistance, resistance

EXAMPLES = """defences:
  A name (median, jpeg, bit-depth, gaussian, bilateral, total-variation, shift, resize), then any of its settings as
  :knob=value, e.g. jpeg:quality=50

examples:
  python -m explorer defend --model signs-resnet --n 20
  python -m explorer defend --model signs-resnet --attack sparse --defences median,jpeg:quality=50,median:radius=2
  python -m explorer defend --model signs-vit --attack greedy --check random:queries=5000:k=50 --defences median
  python -m explorer defend --model my_network.py:load --pictures my_network.py:pictures --defences gaussian"""

DEFAULT_CHECK = "random:queries=1000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network, pictures, defences and attack, and where the table goes."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="gallery")
    every = ",".join(DEFENCES)
    parser.add_argument("--defences", default=every, metavar="NAME,...", help=f"see below (default: {every})")
    parser.add_argument(
        "--check",
        default=DEFAULT_CHECK,
        metavar="NAME",
        help=f"the second attack, which should follow no gradients, named as in `bench` (default: {DEFAULT_CHECK})",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/defences.csv"), metavar="FILE", help="(default: out/defences.csv)"
    )
    options.add_attack(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write it."""
    check_file(args.out, "defence", "defended")
    defences = {name: named_defence(name) for name in args.defences.split(",")}
    attack = options.attack(args)
    check = named_attack(args.check)
    if args.batch < 1:
        raise ValueError(f"--batch must be at least 1; got {args.batch}.")
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, 0, args.data)
    print(f"{args.model}: {len(images)} correctly classified pictures from {args.pictures}, {attack.title}", flush=True)
    made = resistance(network, images, labels, defences, attack, check, batch=args.batch)
    rows = list(tqdm(made, total=len(defences) + 1, unit="defence", disable=None, leave=False))
    print(aligned([_printed(row) for row in rows]))
    masked = [row.defence for row in rows if row.masked]
    if masked:
        print(f"{check.title} fools more behind {', '.join(masked)}: gradients mislead there.")
    write_csv(args.out, [_record(row) for row in rows])
    print(f"Written to {args.out}.")
    return 0


def named_defence(text: str) -> Defence:
    """The defence that a name such as median or jpeg:quality=50 stands for. Raises ValueError with one sentence."""
    name, *settings = text.split(":")
    if name not in DEFENCES:
        raise ValueError(f"There is no defence {name!r}: {', '.join(DEFENCES)} are known.")
    return DEFENCES[name](**options.settings(DEFENCES[name], settings, name, text))


def _printed(row: Resistance) -> dict[str, object]:
    return {
        "defence": row.defence,
        "clean still right": written_share(row.clean),
        "cost": f"{100 * (1 - row.clean.value):.0f} %",
        "plain attacks survive": written_share(row.survive),
        "adaptive fools": written_share(row.adaptive),
        "pixels": row.adaptive_pixels,
        "check fools": written_share(row.gradient_free),
        "pixels ": row.gradient_free_pixels,
        "seconds": row.seconds,
    }


def _record(row: Resistance) -> dict[str, object]:
    """The row for the file, each share in four columns."""
    record: dict[str, object] = {"defence": row.defence, "defended": row.defence != NONE}
    for name in ("clean", "survive", "adaptive", "gradient_free"):
        share: Share = getattr(row, name)
        low, high = share.interval
        record |= {name: share.value, f"{name}_low": low, f"{name}_high": high, f"{name}_of": share.of}
    return record | {
        "cost": 1 - row.clean.value,
        "adaptive_pixels": row.adaptive_pixels,
        "gradient_free_pixels": row.gradient_free_pixels,
        "gradients_mislead": row.masked,
        "seconds": row.seconds,
    }
