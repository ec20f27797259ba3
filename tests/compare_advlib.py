"""Are our attacks the published ones? Run them beside other libraries' on the same pictures.

    pip install --no-deps -r requirements-peers.txt && python -m tests.compare_advlib [PICTURES] [STEPS]

Prints the share that is fooled, and the mean number of changed pixels and entries. The exit code is 0 if ours and
theirs of the same paper differ by at most 10 % in pixels, on the pictures that both fool, and by 10 points in the
share; the others are there to look at. Pictures are left out of that where half of all pixels or more changed: where
torchattacks' SparseFool finds itself on the far side of its plane, it moves every value, and ours does not. PGD0 and
Sparse-PGD have no peer on PyPI.
"""

import math
import sys

from explorer import PGD0, SigmaZero, SparseFool, SparsePGD, load_classifier
from explorer.attacks import Attack
from explorer.commands.peers import Peer
from explorer.commands.pictures import correctly_classified
from explorer.types import AttackResult, Flags

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
        **{name: Peer(name) for name in theirs},
    }


def show(name: str, result: AttackResult) -> None:
    fooled, pixels, entries = (each.double() for each in (result.succeeded, result.n_pixels, result.n_entries))
    print(
        f"{name:40s} fooled {fooled.mean():6.1%}, mean {pixels[result.succeeded].mean():7.2f} pixels, "
        f"{entries[result.succeeded].mean():7.2f} entries, median {pixels[result.succeeded].median():.0f} pixels",
        flush=True,
    )


def same(one: AttackResult, other: AttackResult, where: Flags) -> float:
    """The share of these pictures on which both change as many pixels."""
    return (one.n_pixels == other.n_pixels)[where].double().mean().item()


def main(n: int = 50, steps: int = 1000) -> int:
    clf = load_classifier("signs-resnet")
    images, labels = correctly_classified(clf, "renders", n, seed=0)
    missed = []
    for paper, (ours, theirs) in alike(steps).items():
        mine, published = (attack(clf, images, labels) for attack in (ours, Peer(theirs)))
        show(f"{paper}, ours", mine)
        show(theirs, published)
        few = [each.succeeded & (2 * each.n_pixels < images[0, 0].numel()) for each in (mine, published)]
        both = few[0] & few[1]
        means = [each.n_pixels[both].double().mean().item() for each in (mine, published)]
        shares = [each.double().mean().item() for each in few]
        print(
            f"  by fewer than half of the pixels {shares[0]:.1%} and {shares[1]:.1%}; where both do, by a mean of "
            f"{means[0]:.2f} and {means[1]:.2f} pixels, on {same(mine, published, both):.1%} by the same number"
        )
        close = {
            "share fooled": (shares, math.isclose(*shares, abs_tol=TOLERANCE)),
            "mean pixels": (means, math.isclose(*means, rel_tol=TOLERANCE)),
        }
        for what, (pair, alike_enough) in close.items():
            if not alike_enough:
                missed.append(f"{paper}: {what} is {pair[0]:.3g}, published {pair[1]:.3g}")
    for name, attack in others(steps).items():
        show(name, attack(clf, images, labels))
    print("\n".join(missed) or f"{n} pictures: all within {TOLERANCE:.0%}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
