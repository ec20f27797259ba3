"""Compare attacks on the same correctly classified pictures, in one run.

Prints a table and writes it as CSV: success, share that still fools after being saved as PNG, changed pixels and
entries of the fooled pictures, time (and its ratio to the first sigma-zero), peak memory, and forward and backward
passes per picture (not on CUDA, which replays what it has recorded). The last line sets the
time of the first attack that follows gradients, without the stages that come after its own steps, against as many bare
forward and backward passes.
"""

import argparse
import dataclasses
import platform
from pathlib import Path

import torch
from tqdm import tqdm

from explorer.attacks import ATTACKS, Attack
from explorer.commands import networks, options, peers, pictures
from explorer.commands.tables import aligned, check_file, write_csv
from explorer.knobs import knobs
from explorer.numerics import percent
from explorer.studies.bench import Overhead, Summary, compare, overhead

EXAMPLES = """attacks:
  A name (sparse, greedy, random, sigma-zero, sparsefool, pgd0, sparse-pgd), then any of these, joined by hyphens:
    a number                steps, of an attack that has them
    paper                   the preset of this name, of an attack that has it
    pixel, entry            what is counted
    refined, bare           with, without both pruning and polishing
  and then any setting as :knob=value, e.g. sparse-200:a=0.2:schedule=annealed, pgd0:smallest=yes
  An attack of another library, where it is installed, is adv_lib:NAME or torchattacks:NAME, then :setting=value.

examples:
  python -m explorer bench --model signs-resnet
  python -m explorer bench --model signs-vit --n 200 --attacks sparse,sparse-paper,sigma-zero-1000
  python -m explorer bench --model signs-resnet --attacks sparsefool,torchattacks:SparseFool,adv_lib:fmn:norm=0
  python -m explorer bench --model my_network.py:load --pictures my_network.py:pictures --batch 100"""

DEFAULT_ATTACKS = "sparse,sigma-zero-1000,sigma-zero-pixel-1000,sigma-zero-pixel-1000-refined"
OVERHEAD = "{}: own steps / as many forward and backward passes"
BARE = {"prune": False, "polish": False, "random_queries": 0}
_WORDS = {
    "pixel": {"unit": "pixel"},
    "entry": {"unit": "entry"},
    "refined": {"prune": True, "polish": True},
    "bare": BARE,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network, pictures and attacks, and where the table goes."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders")
    parser.add_argument(
        "--seed", type=options.whole, default=0, help="chooses other renders, or others of a folder (default: 0)"
    )
    parser.add_argument(
        "--attacks", default=DEFAULT_ATTACKS, metavar="NAME,...", help=f"see below (default: {DEFAULT_ATTACKS})"
    )
    parser.add_argument(
        "--repeats",
        type=options.whole,
        default=3,
        help="of the measurement of the overhead; 0 leaves it out (default: 3)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/bench.csv"), metavar="FILE", help="the table (default: out/bench.csv)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write it."""
    names = args.attacks.split(",")
    attacks = {name: peers.Peer(name) if peers.is_peer(name) else named_attack(name) for name in names}
    check_file(args.out, "attack", "pictures")
    if args.batch < 1 or args.repeats < 0:
        raise ValueError(f"--batch must be at least 1 and --repeats at least 0; got {args.batch} and {args.repeats}.")
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, args.seed, args.data)
    height, width = images.shape[2:]
    print(
        f"{args.model}: {len(images)} correctly classified pictures of {width} × {height} pixels from {args.pictures}, "
        f"{min(args.batch, len(images))} at a time, on {_device(images.device)}, torch {torch.__version__}",
        flush=True,
    )
    with tqdm(total=len(images) * len({*attacks.values()}), unit="run", disable=None, leave=False) as bar:
        rows = compare(
            network, images, labels, attacks, batch=args.batch, on_progress=lambda done: bar.update(done - bar.n)
        )
    print(aligned([_printed(row) for row in rows]))
    records = [dataclasses.asdict(row) for row in rows]
    ours = {name: attack for name, attack in attacks.items() if isinstance(attack, Attack)}
    following = next((name for name, attack in ours.items() if not attack.black_box), None)
    if args.repeats and following is not None:
        bare = dataclasses.replace(ours[following], **BARE)
        cost = overhead(network, images[: args.batch], labels[: args.batch], bare, args.repeats)
        title = OVERHEAD.format(following)
        print(
            f"{title} = {cost.ratio:.2f} ({cost.attack_seconds:.2f} s / {cost.network_seconds:.2f} s for "
            f"{cost.steps} steps at {min(args.batch, len(images))} pictures)"
        )
        records.append(_record(title, cost, records[0]))
    write_csv(args.out, records)
    print(f"Written to {args.out}.")
    return 0


def named_attack(name: str) -> Attack:
    """The attack that a name such as sigma-zero-pixel-1000-refined or sparse:a=0.2 stands for."""
    words, *settings = name.split(":")
    kind = next((each for each in sorted(ATTACKS, key=len, reverse=True) if f"{words}-".startswith(f"{each}-")), None)
    if kind is None:
        raise ValueError(f"There is no attack {name!r}: a name that begins with {' or '.join(ATTACKS)} is expected.")
    known_knobs, presets, preset, values = knobs(ATTACKS[kind]), options.presets(kind), {}, {}
    for word in filter(None, words.removeprefix(kind).split("-")):
        if word.isdecimal() and "steps" in known_knobs:
            values["steps"] = options.number(word)
        elif word in _WORDS:
            values |= _WORDS[word]
        elif word in presets:
            preset = presets[word]
        else:
            known = ", ".join([*["a number of steps"] * ("steps" in known_knobs), *_WORDS, *presets])
            raise ValueError(f"{word!r} in {name!r} means nothing: {known} are known.")
    values |= options.settings(ATTACKS[kind], settings, kind, name)
    return ATTACKS[kind](**preset | values)


def _printed(row: Summary) -> dict[str, object]:
    """The row under short heads."""
    return {
        "attack": row.attack,
        "fooled": percent(row.success, 1),
        "as PNG": percent(row.png_fools, 1),
        "pixels: mean": row.mean_pixels,
        "pixels: median": row.median_pixels,
        "entries: mean": row.mean_entries,
        "entries: median": row.median_entries,
        "seconds": row.seconds,
        "time ratio": row.time_ratio,
        "memory MB": row.memory_mb,
        "forward": row.forward_passes,
        "backward": row.backward_passes,
    }


def _record(title: str, cost: Overhead, like: dict[str, object]) -> dict[str, object]:
    """The overhead as a row of the CSV file: its time, and in time_ratio the ratio."""
    empty = dict.fromkeys(like)
    return {**empty, "attack": title, "seconds": cost.attack_seconds, "time_ratio": cost.ratio}


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {device.type.upper()} with {torch.get_num_threads()} thread(s)"
