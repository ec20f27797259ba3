"""Is our sigma-zero the published one? Run it beside the implementation of adversarial-library on the same pictures.

    pip install --no-deps adv-lib && python -m tests.compare_advlib [PICTURES] [STEPS]

Prints the mean number of changed pixels and entries of both; the exit code is 0 if the pixels differ by at most 10 %.
"""

import sys
import time
import types

import torch

from explorer import SigmaZero, load_classifier
from explorer.commands.pictures import correctly_classified
from explorer.grid import changed_pixels

TOLERANCE = 0.1


def main(n: int = 100, steps: int = 1000) -> int:
    sys.modules["visdom"] = types.SimpleNamespace(Visdom=None)  # adv-lib wants it for plots; it does not build any more
    from adv_lib.attacks import sigma_zero

    clf = load_classifier("signs-resnet")
    images, labels = correctly_classified(clf, "renders", n, seed=0)
    runs = {
        "ours": lambda: SigmaZero(steps=steps)(clf, images, labels).adversarial,
        "adv-lib": lambda: sigma_zero(clf, images, labels, num_steps=steps),
    }
    means = {}
    for name, attack in runs.items():
        started = time.perf_counter()
        adversarial = attack()
        seconds = time.perf_counter() - started
        with torch.no_grad():
            fooled = clf(adversarial).argmax(1) != labels
        pixels = changed_pixels(images, adversarial).flatten(1).sum(1)[fooled].double().mean().item()
        entries = (images != adversarial).flatten(1).sum(1)[fooled].double().mean().item()
        means[name] = pixels
        share = fooled.double().mean()
        print(
            f"{name:8s} fooled {share:.1%}, mean {pixels:.2f} pixels, {entries:.2f} entries, {seconds:.1f} s",
            flush=True,
        )
    difference = means["ours"] / means["adv-lib"] - 1
    print(f"{n} pictures, {steps} steps: ours changes {difference:+.1%} pixels; within {TOLERANCE:.0%} is expected")
    return int(abs(difference) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
