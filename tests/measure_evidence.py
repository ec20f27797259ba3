"""How long the default method takes with every check: `python -m tests.measure_evidence --model signs-resnet`.

Pictures are attacked, and those of which 5 to 20 pixels changed are explained. Prints the median and the longest time,
and by how much the memory grew at most.
"""

import argparse
import sys
import time
from statistics import median

from explorer import SparseAttack
from explorer.commands import networks, pictures
from explorer.evidence import examine, trust
from explorer.studies.cost import PeakMemory

FEWEST, MOST = 5, 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders")
    return measure(parser.parse_args())


def measure(args: argparse.Namespace) -> int:
    """Print the times; 1 if no picture had as many pixels changed."""
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n, 0, args.data)
    result = SparseAttack()(network, images, labels)
    fitting = result.succeeded & (result.n_pixels >= FEWEST) & (result.n_pixels <= MOST)
    if not fitting.any():
        print(f"Of {len(images)} pictures none was fooled by {FEWEST} to {MOST} pixels; try more with --n.")
        return 1
    chosen = list(zip(images[fitting], result.adversarial[fitting], labels[fitting].tolist(), strict=True))
    memory, seconds = PeakMemory(images.device), []
    explain(network, *chosen[0])  # libraries are loaded before anything is timed
    for image, adversarial, label in chosen:
        started = time.perf_counter()
        explain(network, image, adversarial, label)
        seconds.append(time.perf_counter() - started)
    print(
        f"{args.model}: {len(seconds)} pictures, {result.n_pixels[fitting].tolist()} pixels: median "
        f"{median(seconds):.2f} s, longest {max(seconds):.2f} s; memory grew by {memory.peak() / 1e6:.0f} MB"
    )
    return 0


def explain(network, image, adversarial, label: int) -> None:
    """The default method's labels and all that the page checks them by."""
    trust(examine(network, image, adversarial, label, others=()).evidence)


if __name__ == "__main__":
    sys.exit(main())
