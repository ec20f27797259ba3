"""Who does a study's parts: this process, or a Dask cluster."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.classifiers import usable_device
from explorer.studies import Engine, Local
from explorer.studies.cluster import SCHEME, Cluster

LOCAL = "local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The option that chooses it."""
    parser.add_argument(
        "--engine",
        default=LOCAL,
        metavar="ENGINE",
        help=f"{LOCAL}: this process; {SCHEME}HOST:PORT: a Dask cluster's workers, see README (default: {LOCAL})",
    )


@contextmanager
def engine(args: argparse.Namespace) -> Iterator[Engine]:
    """The engine that was chosen, until its study is done. Raises ValueError with one sentence if there is none."""
    if args.engine == LOCAL:
        yield Local()
        return
    with Cluster(args.engine, args.device if args.device == "auto" else usable_device(args.device)) as cluster:
        yield cluster
