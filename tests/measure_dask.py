"""Time of one study of 400 parts on a Dask cluster of two worker processes on this machine, against one worker.

Workers compute with one thread each. Prints both times and their ratio; exits with 1 if the ratio is above LIMIT, or
the tables differ.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

from explorer.attacks import SparseAttack
from explorer.classifiers import load_classifier
from explorer.commands.pictures import correctly_classified
from explorer.studies import Study, Subject, grid
from explorer.studies.cluster import Cluster
from tests.dask_cluster import DaskCluster

LIMIT = 0.6
PARTS = 400
COSTS = {"seconds", "memory_mb"}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="signs-cnn", help="a bundled network of signs (default: signs-cnn)")
    parser.add_argument("--steps", type=int, default=100, help="of the attack (default: 100)")
    args = parser.parse_args()
    torch.set_num_threads(1)  # the workers have the cores
    clf = load_classifier(args.model, device="cpu")
    images, labels = correctly_classified(clf, "gallery", 4, seed=0)
    bare = SparseAttack(steps=args.steps, prune=False, polish=False)
    settings = grid(bare, {"lam": [0.02 * n for n in range(1, PARTS // len(images) + 1)]})
    times, tables = {}, []
    for workers in (1, 2):
        with (
            tempfile.TemporaryDirectory() as folder,
            DaskCluster(workers, Path(folder)) as dask,
            Cluster(dask.address, "cpu") as engine,
        ):
            subject = Subject(args.model, clf, images, labels)
            warm = Study([subject], [bare], batch=1, engine=engine)
            while warm.advance():  # every worker has loaded what it needs
                pass
            study = Study([subject], settings, batch=1, engine=engine)
            assert study.left == PARTS
            started = time.perf_counter()
            while study.advance():
                pass
            times[workers] = time.perf_counter() - started
        tables.append([{name: value for name, value in row.items() if name not in COSTS} for row in study.rows()])
        print(f"{workers} worker{'s' * (workers > 1)}: {PARTS} parts in {times[workers]:.1f} s", flush=True)
    ratio, same = times[2] / times[1], tables[0] == tables[1]
    print(f"Ratio {ratio:.2f} (at most {LIMIT} is asked for); the tables are {'the same' if same else 'NOT the same'}.")
    return int(ratio > LIMIT or not same)


if __name__ == "__main__":
    sys.exit(main())
