"""How often random search fools with k pixels, by queries: `python -m tests.measure_random_search --model NAME`.

Nothing but the network's answers is used: its gradient raises. Sparse-RS (arXiv 2006.12834) fools more pictures with
more queries and with more pixels; prints the share for each, and the median of the queries that the fooled ones took.
"""

import argparse
import sys

import torch

from explorer import RandomSearch
from explorer.commands import networks, pictures
from explorer.types import Images, Logits

PIXELS, QUERIES = (5, 10, 24), (1000, 3000, 10_000)


class WithoutGradient(torch.autograd.Function):
    """The identity, whose gradient raises."""

    @staticmethod
    def forward(ctx, images: Images) -> Images:
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("random search has asked for a gradient")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders", batch=None)
    return measure(parser.parse_args())


def measure(args: argparse.Namespace) -> int:
    """Print the table; 1 if more queries or more pixels fool fewer pictures."""
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, 0, args.data)

    def black_box(seen: Images) -> Logits:
        return network(WithoutGradient.apply(seen))

    print(f"{args.model}: {len(images)} correctly classified pictures, no gradients")
    shares = {}
    for queries in QUERIES:
        for k in PIXELS:
            result = RandomSearch(k=k, queries=queries, prune=False)(black_box, images, labels)
            needed = (result.trace.margin >= 0).sum(0)[result.succeeded] + 1
            shares[queries, k] = result.succeeded.float().mean().item()
            median = int(needed.median()) if len(needed) else 0
            print(
                f"{queries:6,} queries, k = {k:2}: {shares[queries, k]:6.1%} fooled, median {median:,} queries",
                flush=True,
            )
    rising = all(shares[q, 5] <= shares[q, 10] <= shares[q, 24] for q in QUERIES)
    rising &= all(shares[1000, k] <= shares[3000, k] <= shares[10_000, k] for k in PIXELS)
    return 0 if rising else 1


if __name__ == "__main__":
    sys.exit(main())
