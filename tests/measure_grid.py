"""A grid of 8 x 8 x 4 settings on one sign against its single runs: `python -m tests.measure_grid`.

Its cells are the single runs to the last bit where torch works with one thread; with two, a lone picture's products
are added up in another order than a batch's.
"""

import argparse
import sys
import time

import torch

from explorer import SparseAttack, load_classifier
from explorer.samples import find_sample
from explorer.studies import Study, Subject, grid

A = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
LAM = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
TAU = (0.01, 0.03, 0.05, 0.1)
TARGET = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of torch, for both (default: 2)")
    parser.add_argument("--batch", type=int, help="runs at a time (default: as many as fit the memory)")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--refined", action="store_true", help="with pruning and polishing")
    parser.add_argument(
        "--every", type=int, default=1, help="single runs of every n-th setting only; their time times n"
    )
    return measure(parser.parse_args())


def measure(args: argparse.Namespace) -> int:
    """Print both times and how far the cells are from their single runs; 1 if the grid is too slow."""
    torch.set_num_threads(args.threads)
    clf, sign = load_classifier("signs-resnet", device=args.device), find_sample("stop-1")
    image, label = sign.image[None].to(clf.device), torch.tensor([sign.label], device=clf.device)
    base = SparseAttack(steps=args.steps, prune=args.refined, polish=args.refined)
    settings = grid(base, {"a": A, "lam": LAM, "tau": TAU})
    SparseAttack(steps=3, prune=False, polish=False)(clf, image, label)  # libraries are loaded before anything is timed

    started = time.perf_counter()
    alone = [attack(clf, image, label) for attack in settings[:: args.every]]
    singles = (time.perf_counter() - started) * len(settings) / len(alone)
    started = time.perf_counter()
    study = Study([Subject(clf.name, clf, image, label)], settings, batch=args.batch)
    while study.advance():
        pass
    together = time.perf_counter() - started

    rows = study.rows()[:: args.every]
    apart = [abs(row["n_pixels"] - int(single.n_pixels)) for row, single in zip(rows, alone, strict=True)]
    same = sum(not each for each in apart) / len(apart)
    ratio = together / singles
    print(f"{len(settings)} settings: single runs {singles:.1f} s, grid {together:.1f} s, ratio {ratio:.2f}")
    print(f"same pixels in {same:.1%} of {len(apart)} cells; otherwise {sorted(each for each in apart if each)} apart")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
