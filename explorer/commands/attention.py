"""Ask a transformer whether its attention leaves obscuring pixels and goes to leading ones.

Pictures are attacked and their changed pixels labelled. For the patches of each kind: what share of the attention they
gain from the clean to the attacked picture, by attention rollout and by gradient-weighted attention, next to patches
without a changed pixel and to those of the other kind, with 95 % intervals (resampling pictures) and the p of a
permutation test (flipping the signs of the pictures' differences). All in points: per cent of the whole attention.
Networks without attention between all patches are refused.
"""

import argparse
import dataclasses
from pathlib import Path

from tqdm import tqdm

from explorer.attention import EXPECTED, Finding, findings, follow_attention
from explorer.commands import networks, options, pictures
from explorer.commands.tables import aligned, check_file, write_csv
from explorer.evidence import DEFAULT_METHOD, METHODS, methods_for

EXAMPLES = """examples:
  python -m explorer attention --model signs-vit --n 100
  python -m explorer attention --model cifar-vit --pictures cifar10 --n 100 --out out/cifar-attention.csv
  python -m explorer attention --model my_network.py:load --pictures my_network.py:pictures --method shapley"""

NEEDS = "attention_rollout"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network, pictures, attack and labels, and where the table goes."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders")
    parser.add_argument(
        "--seed", type=options.whole, default=0, help="chooses other renders, or others of a folder (default: 0)"
    )
    parser.add_argument("--method", choices=list(METHODS), default=DEFAULT_METHOD, help="how pixels are labelled")
    parser.add_argument(
        "--out", type=Path, default=Path("out/attention.csv"), metavar="FILE", help="(default: out/attention.csv)"
    )
    options.add_attack(parser, without=("seed",))


def run(args: argparse.Namespace) -> int:
    """Attack, follow, print and write."""
    check_file(args.out, "attention", "kind")
    if args.batch < 1:
        raise ValueError(f"--batch must be at least 1; got {args.batch}.")
    attack = options.attack(args)
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, args.seed, args.data)
    problems = methods_for(network, images[0])
    for name in (NEEDS, args.method):
        if problems[name]:
            raise ValueError(f"{METHODS[name].title} is not valid for {args.model}: {problems[name]}.")
    adversarial, fooled = pictures.attacked(network, attack, images, labels, args.batch)
    print(f"{args.model}: {int(fooled.sum())} of {len(images)} pictures from {args.pictures} are fooled.", flush=True)
    if not fooled.any():
        raise ValueError("No picture is fooled, so there is nothing to follow.")
    with tqdm(total=int(fooled.sum()), unit="picture", disable=None, leave=False) as bar:
        moved = follow_attention(
            network, images[fooled], adversarial[fooled], labels[fooled], args.method, on_progress=bar.update
        )
    patches = {kind: sum(int(each.groups[kind].sum()) for each in moved) for kind in EXPECTED}
    print(f"{patches['obscuring']} patches have obscuring pixels only, {patches['leading']} leading ones only.")
    found = findings(moved)
    print(aligned([_printed(each) for each in found]))
    print("Points: per cent of the whole attention. In brackets 95 % intervals, by resampling pictures.")
    write_csv(args.out, [dataclasses.asdict(each) for each in found])
    print(f"Written to {args.out}.")
    return 0


def _printed(found: Finding) -> dict[str, object]:
    return {
        "attention": found.attention,
        "patches": found.kind,
        "next to": found.others,
        "pictures": found.pictures,
        "gain": 100 * found.gain,
        "theirs": 100 * found.gain_of_others,
        "difference": _with_interval(found),
        "as expected": f"{100 * found.as_expected:.0f} %" if found.pictures else "–",
        "p": "< 0.001" if found.p < 0.001 else found.p,
    }


def _with_interval(found: Finding) -> str:
    if not found.pictures:
        return "–"
    interval = f" [{100 * found.low:+.2f}, {100 * found.high:+.2f}]" if found.pictures > 1 else ""
    return f"{100 * found.difference:+.2f}{interval}"
