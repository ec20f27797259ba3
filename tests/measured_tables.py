"""What `python -m explorer evidence` has measured, as tables for the README and as docs/evidence.md."""

import csv
import math
from collections import defaultdict
from pathlib import Path

from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.numerics import percent

ASSETS = Path(__file__).parents[1] / "assets"
NETWORKS = {  # files in assets/evidence, and what was measured
    "signs-resnet": ("`signs-resnet`", "--model signs-resnet"),
    "signs-vit": ("`signs-vit`", "--model signs-vit"),
    "signs-robust": ("`signs-robust`", "--model signs-robust"),
    "signs-sparse": ("`signs-sparse`", "--model signs-sparse"),
    "cifar10-resnet20": ("CIFAR-10, a ResNet-20", "--model my_network.py:load --pictures cifar10"),
}
CHECKS = {  # columns of a file: the documents' name for it, and digits of the per cent; None: not a share
    "completeness error, median": ("completeness error, median", 1),
    "agreement": ("confirmed", 1),
    "agreement, firm labels": ("confirmed, firm labels", 1),
    "D > 0": ("D > 0", 0),
    "pooled p": ("pooled p", None),
    "card red": ("red: true", 1),
    "red if exchanged": ("exchanged", 1),
    "red if random weights": ("random weights", 1),
    "red if other picture": ("other picture", 1),
}
ATTACKS_TABLE = ASSETS / "attacks" / "table.csv"  # of python -m tests.measure_attacks
WITHIN = (1, 5, 10, 24, 44)  # pixels
ATTENTION = {"signs-vit": "", "cifar-vit": " --pictures cifar10"}  # files in assets/attention, and further options
TRUTH = {
    "obscuring_on_true": "obscuring on the true sign's own",
    "obscuring_chance": "chance",
    "obscuring_gain": "above chance",
    "leading_on_wrong": "leading on the wrong sign's own",
    "leading_chance": "chance",
    "leading_gain": "above chance",
    "kind_right": "kind right",
}


def read(folder: str, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((ASSETS / folder / f"{name}.csv").read_text().splitlines()))


def checks_of(row: dict[str, str]) -> list[str]:
    """One method's checks, as shown."""
    return [shown(row[column], digits) for column, (_, digits) in CHECKS.items()]


def shown(text: str, digits: int | None) -> str:
    """A share in per cent, or a p."""
    if not text:
        return "–"
    if digits is None:
        return "< 0.001" if float(text) < 0.001 else f"{float(text):.2g}"
    return f"{100 * float(text):.{digits}f} %"


def with_interval(row: dict[str, str], key: str) -> str:
    """A share in per cent, with its 95 % interval."""
    low, high = (shown(row[f"{key}{end}"], 0).removesuffix(" %") for end in ("_low", "_high"))
    return f"{shown(row[key], 0)} ({low} to {high})"


def transfer(pictures: str) -> list[str]:
    """How often each network's attacks fool the others, by the whole change, with 95 % intervals."""
    cells = {(row["attack"], row["source"], row["target"]): row for row in read("transfer", pictures)}
    attacks, sources, targets = (list(dict.fromkeys(each)) for each in zip(*cells, strict=True))
    rows = []
    for attack in attacks:
        for source in sources:
            found = [with_interval(cells[attack, source, target], "whole") for target in targets]
            rows.append([f"`{attack}`", f"`{source}`", *found])
    return markdown(["attack", "made on", *(f"`{target}` errs" for target in targets)], rows)


def defended(name: str) -> list[str]:
    """What each defence stops of attacks that do not know of it, and of those that do."""
    rows = []
    for row in read("defended", name):
        pixels = f"{float(row['adaptive_pixels']):.1f}"
        told = [with_interval(row, key) for key in ("clean", "survive", "adaptive", "gradient_free")]
        rows.append([f"`{row['defence']}`" if row["defended"] == "True" else "none", *told[:3], pixels, told[3]])
    head = ["defence", "clean pictures still right", "attack that does not know of it still fools"]
    return markdown([*head, "attack that knows fools", "pixels, mean", "random search fools"], rows)


def by_method(name: str) -> list[str]:
    """Every method's checks on one network."""
    rows = [[METHODS[row["method"]].title, *checks_of(row)] for row in read("evidence", name)]
    return markdown(["method", *(title for title, _ in CHECKS.values())], rows)


def by_network() -> list[str]:
    """The default method's checks on every network."""
    rows = []
    for name, (title, _) in NETWORKS.items():
        (row,) = [each for each in read("evidence", name) if each["method"] == DEFAULT_METHOD]
        rows.append([title, row["pictures"], f"{int(row['pixels']):,}", *checks_of(row)])
    return markdown(["network", "pictures", "changed pixels", *(title for title, _ in CHECKS.values())], rows)


def truth(name: str) -> list[str]:
    """Where the labels fall on rendered signs, in per cent with 95 % intervals."""
    rows = []
    for row in read("ground_truth", name):
        rates = [tuple(round(100 * float(row[f"{key}{end}"])) for end in ("", "_low", "_high")) for key in TRUTH]
        told = (f"{value} ({low} to {high})".replace("-", "−") for value, low, high in rates)
        rows.append([METHODS[row["method"]].title, *told])
    return markdown(["method", *TRUTH.values()], rows)


def attention(name: str) -> list[str]:
    """What the patches of obscuring and leading pixels gained in attention, in points with 95 % intervals."""
    rows = []
    for row in read("attention", name):
        gain, theirs, difference, low, high = (
            f"{100 * float(row[key]):+.1f}".replace("-", "−")
            for key in ("gain", "gain_of_others", "difference", "low", "high")
        )
        rows.append(
            [
                *(row[key] for key in ("attention", "kind", "others", "pictures")),
                *(gain, theirs, f"{difference} ({low} to {high})"),
                shown(row["as_expected"], 0),
                shown(row["p"], None),
            ]
        )
    head = ["attention", "patches", "next to", "pictures", "gain", "theirs", "difference", "as their name says", "p"]
    return markdown(head, rows)


def attacks() -> list[str]:
    """Every attack on every network: how many pictures are fooled with at most so many pixels, and what it takes. Of
    pictures that all attacks on a network have been tried on.
    """
    measured = [*csv.DictReader(ATTACKS_TABLE.read_text().splitlines())]
    attacks = {row["attack"] for row in measured}
    tried, found = defaultdict(set), defaultdict(list)
    for row in measured:
        tried[row["network"], row["first"]].add(row["attack"])
    for row in measured:
        if tried[row["network"], row["first"]] == attacks:
            found[row["network"], row["attack"]].append(row)
    rows = []
    for (network, attack), parts in sorted(found.items(), key=lambda each: list(found).index((each[0][0], "sparse"))):
        pixels = [math.inf if each == "-" else int(each) for part in parts for each in part["pixels"].split()]
        fooled = [each for each in pixels if math.isfinite(each)]
        mean = f"{sum(fooled) / len(fooled):.2f}" if fooled else "–"
        spent = (
            sum(float(part[column]) for part in parts) for column in ("forward_passes", "backward_passes", "seconds")
        )
        forward, backward, seconds = (total / len(pixels) for total in spent)
        rows.append(
            [
                *(f"`{network}`", f"`{attack}`", str(len(pixels))),
                *(percent(sum(each <= k for each in pixels) / len(pixels)) for k in WITHIN),
                *(percent(len(fooled) / len(pixels)), mean, f"{forward:,.0f}", f"{backward:,.0f}", f"{seconds:.2f}"),
            ]
        )
    within = (f"≤ {k}" for k in WITHIN)
    return markdown(
        ["network", "attack", "pictures", *within, "fooled", "pixels, mean", "forward", "backward", "seconds"], rows
    )


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]


def document() -> str:
    """docs/evidence.md: every method on every network."""
    parts = [
        "# Every method on every network",
        "Correctly classified pictures were attacked with the defaults, and every changed pixel was labelled by every "
        "method that is valid for the network. *Confirmed* is the share of labels with which the single reversal "
        "agrees, *red* how often the trust card says that the labels are not to be trusted: for the true labels, and "
        "for three kinds that are wrong on purpose. The README says what the checks are and what follows.",
    ]
    for name, (title, options) in NETWORKS.items():
        rows = read("evidence", name)
        parts += [f"## {title}", f"```sh\npython -m explorer evidence {options} --n {rows[0]['pictures']}\n```"]
        parts += [f"{rows[0]['pictures']} pictures, {int(rows[0]['pixels']):,} changed pixels:"]
        parts += ["\n".join(by_method(name))]
    parts += [
        "## Ground truth",
        "How often obscuring pixels fall on what only the true sign shows, and leading ones on what only the wrong "
        "sign shows, in per cent with 95 % intervals. *Chance* is a random pixel of the sign, *above chance* the "
        "difference, in points; *kind right* is the share of pixels on either of the two whose label says the right "
        "kind.",
    ]
    for file in sorted((ASSETS / "ground_truth").glob("*.csv")):
        n = read("ground_truth", file.stem)[0]["signs"]
        parts += [f"```sh\npython -m explorer evidence --model {file.stem} --n {n} --ground-truth\n```"]
        parts += [f"**`{file.stem}`**, {n} signs:", "\n".join(truth(file.stem))]
    parts += [
        "## Attention",
        "Does a transformer's attention leave the patches of obscuring pixels and go to those of leading ones? The "
        "README says what is measured. In points (per cent of the whole attention) with 95 % intervals. For "
        "`cifar-vit` the pictures were a draw from CIFAR-10's test set; another draw gives somewhat other figures.",
    ]
    for name, source in ATTENTION.items():
        parts += [f"```sh\npython -m explorer attention --model {name}{source} --n 100\n```"]
        parts += [f"**`{name}`**:", "\n".join(attention(name))]
    return "\n\n".join(parts) + "\n"
