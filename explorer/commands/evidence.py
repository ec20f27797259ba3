"""Try the labels on many pictures: every method against every check.

Prints, and writes as CSV, per method: the completeness error, how many labels the single reversal confirms, the
group reversal with its pooled p, what the trust card says, and how often it turns red for labels that are known to be
wrong. With --ground-truth, on rendered signs: how often obscuring pixels fall on what only the true sign shows and
leading ones on what only the wrong sign shows, against chance: a random pixel of the sign.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from explorer.classifiers.python import count_classes, device_of
from explorer.commands import networks, options, pictures
from explorer.commands.tables import aligned, check_file, write_csv
from explorer.evidence import METHODS, methods_for
from explorer.samples.renders import UNSEEN_SEEDS
from explorer.samples.signs import SEEDS_APART
from explorer.signs import CLASS_NAMES
from explorer.studies.trials import Rate, Signs, localisation, summary, try_methods

EXAMPLES = """examples:
  python -m explorer evidence --model signs-resnet --n 200
  python -m explorer evidence --model signs-vit --n 200 --ground-truth --out out/truth.csv
  python -m explorer evidence --model signs-resnet --attack greedy --n 50
  python -m explorer evidence --model my_network.py:load --pictures my_network.py:pictures --methods shapley,saliency"""

HEADS = {  # of the printed table of the ground truth; spaces tell the second of a name from the first
    "obscuring_on_true": "obscuring on true sign",
    "obscuring_chance": "chance",
    "obscuring_gain": "above chance",
    "leading_on_wrong": "leading on wrong sign",
    "leading_chance": "chance ",
    "leading_gain": "above chance ",
    "kind_right": "kind right",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network, pictures and methods, and where the table goes."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders")
    parser.add_argument(
        "--seed", type=options.whole, default=0, help="chooses other renders, or others of a folder (default: 0)"
    )
    parser.add_argument(
        "--methods", metavar="NAME,...", help=f"of {', '.join(METHODS)} (default: all that are valid for the network)"
    )
    parser.add_argument(
        "--ground-truth", action="store_true", help="compare with where the signs differ; needs --pictures renders"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/evidence.csv"),
        metavar="FILE",
        help="the table (default: out/evidence.csv)",
    )
    options.add_attack(parser, without=("seed",))


def run(args: argparse.Namespace) -> int:
    """Attack, try, print and write."""
    check_file(args.out, "method")
    if args.batch < 1:
        raise ValueError(f"--batch must be at least 1; got {args.batch}.")
    attack = options.attack(args)
    if args.n < 1 or args.seed < 0:
        raise ValueError(f"--n must be at least 1 and --seed at least 0; got {args.n} and {args.seed}.")
    if args.ground_truth and args.pictures != "renders":
        raise ValueError("--ground-truth is known of rendered signs only: leave --pictures out.")
    methods = None if args.methods is None else args.methods.split(",")
    for name in methods or ():
        if name not in METHODS:
            raise ValueError(f"There is no method {name!r}: {', '.join(METHODS)} are known.")
    network = networks.load_network(args.model, args.device)
    if args.ground_truth:
        if (n_classes := count_classes(network, (64, 64))) != len(CLASS_NAMES):
            raise ValueError(f"The signs have {len(CLASS_NAMES)} classes, but the network {n_classes}.")
        first_seed = UNSEEN_SEEDS + args.seed * SEEDS_APART
        signs = Signs.draw(network, args.n, first_seed, device_of(network))
        images, labels = signs.images, signs.labels
    else:
        signs = None
        images, labels = pictures.correctly_classified(network, args.pictures, args.n, args.seed, args.data)
    valid = [name for name, problem in methods_for(network, images[0]).items() if problem is None]
    for name in methods or ():
        if name not in valid:
            raise ValueError(f"{name} is not valid for this network; valid are {', '.join(valid)}.")
    adversarial, fooled = pictures.attacked(network, attack, images, labels, args.batch)
    print(f"{args.model}: {int(fooled.sum())} of {len(images)} pictures from {args.pictures} are fooled.", flush=True)
    adversarial[~fooled] = images[~fooled]  # nothing to explain there
    with tqdm(total=len(images), desc="explain", unit="picture", disable=None, leave=False) as bar:
        trials = try_methods(network, images, adversarial, labels, methods, signs is None, bar.update)
    if not all(trials.values()):
        raise ValueError("No picture is fooled, so there is nothing to explain.")
    if signs is None:
        rows = [summary(name, of) for name, of in trials.items()]
        print(aligned(rows))
    else:
        rates = {name: localisation(signs.hits(of)) for name, of in trials.items()}
        rows = [{"method": name, "signs": len(trials[name]), **_bounds(rate)} for name, rate in rates.items()]
        print(
            aligned([{"method": name, **{HEADS[k]: str(v) for k, v in rate.items()}} for name, rate in rates.items()])
        )
        print("Chance is a random pixel of the sign; in brackets 95 % intervals, by resampling signs.")
    write_csv(args.out, rows)
    print(f"Written to {args.out}.")
    return 0


def _bounds(rates: dict[str, Rate]) -> dict[str, float]:
    """Each rate in three columns: its value and the ends of its confidence interval."""
    return {
        f"{name}{end}": value
        for name, rate in rates.items()
        for end, value in (("", rate.value), ("_low", rate.low), ("_high", rate.high))
    }
