"""Are our attacks the published ones? Run them beside other libraries' on the same pictures.

    pip install --no-deps -r requirements-peers.txt && python -m tests.compare_advlib [PICTURES] [STEPS]

Prints the share that is fooled, by the picture as it is and as it would be saved, and the mean number of changed pixels
and entries. The exit code is 0 if ours and theirs of the same paper differ by at most 10 % in pixels and in the share;
the others are there to look at. PGD0 and Sparse-PGD have no peer on PyPI.
"""

import math
import sys

from explorer import PGD0, SigmaZero, SparseFool, SparsePGD, load_classifier
from explorer.attacks import Attack
from explorer.benchmark import Row, compare
from explorer.commands.peers import named_peer
from explorer.commands.pictures import correctly_classified

TOLERANCE = 0.1


def alike(steps: int) -> dict[str, tuple[Attack, str]]:
    """By paper: our attack with the settings of the other library, and the other library's."""
    same = SparseFool(plane="pushed", anew=True, classes=1000, steps=10)
    return {
        "sigma-zero": (SigmaZero(steps=steps), f"adv_lib:sigma_zero:num_steps={steps}"),
        "SparseFool": (same, "torchattacks:SparseFool"),
    }


def others(steps: int) -> dict[str, Attack | str]:
    """To look at."""
    theirs = [
        "adv_lib:vfga",
        f"adv_lib:fmn:norm=0:steps={steps}",
        "torchattacks:JSMA:gamma=0.02",
        "torchattacks:OnePixel",
    ]
    return {
        "SparseFool, as in the paper": SparseFool(),
        "PGD0, k = 20": PGD0(),
        "Sparse-PGD, k = 20": SparsePGD(),
        **{name: named_peer(name) for name in theirs},
    }


def show(row: Row) -> None:
    print(
        f"{row.attack:40s} fooled {row.success:6.1%}, as PNG {row.png_fools:6.1%}, mean {row.mean_pixels:7.2f} pixels, "
        f"{row.mean_entries:7.2f} entries, {row.seconds:7.1f} s",
        flush=True,
    )


def main(n: int = 50, steps: int = 1000) -> int:
    clf = load_classifier("signs-resnet")
    images, labels = correctly_classified(clf, "renders", n, seed=0)
    missed = []
    for paper, (ours, theirs) in alike(steps).items():
        pair = {f"{paper}, ours": ours, theirs: named_peer(theirs)}
        one, other = compare(clf, images, labels, pair, batch=n)
        show(one)
        show(other)
        for name in ("success", "mean_pixels"):
            mine, published = getattr(one, name), getattr(other, name)
            if not math.isclose(mine, published, rel_tol=TOLERANCE):
                missed.append(f"{paper}: {name} is {mine:.3g}, published {published:.3g}")
    for name, attack in others(steps).items():
        show(*compare(clf, images, labels, {name: attack}, batch=n))
    print("\n".join(missed) or f"{n} pictures: all within {TOLERANCE:.0%}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
