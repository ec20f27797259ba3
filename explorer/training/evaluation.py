"""How often a classifier is right about pictures that it was not trained on."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from explorer.attacks import Attack, Greedy, RandomSearch, SparsePGD
from explorer.attacks.dense import sign_attack
from explorer.classifiers import best_device
from explorer.classifiers.bundled import ASSETS, load_bundled, read_manifest
from explorer.samples import DATA_SETS
from explorer.training.pictures import Pictures

N_SPARSE = 200  # of these, the first ones, under sparse attacks, which take seconds each


@dataclass(frozen=True)
class Evaluation:
    """Shares of unseen pictures that are classified correctly."""

    n: int
    accuracy: float
    robust_accuracy: float | None  # under PGD within eps; None: not measured
    eps: float | None = None  # L-infinity radius, in [0, 1] units
    sparse: "SparseAccuracy | None" = None

    def __str__(self) -> str:
        robust = "" if self.eps is None else f", {self.robust_accuracy:.2%} under PGD within {self.eps * 255:.0f}/255"
        sparse = "" if self.sparse is None else f", {self.sparse}"
        return f"{self.accuracy:.2%} of {self.n:,} unseen pictures{robust}{sparse}"


@dataclass(frozen=True)
class SparseAccuracy:
    """Share of unseen pictures that are classified correctly whichever of several sparse attacks is tried."""

    n: int
    accuracy: float
    pixels: int  # that may change
    after: dict[str, float]  # what is left of it after each attack in turn, from "none" on

    def __str__(self) -> str:
        return f"{self.accuracy:.1%} of {self.n:,} under sparse attacks with {self.pixels} pixels"


def unseen_pictures(dataset: str, n: int | None = None, folder: Path | None = None, download: bool = False) -> Pictures:
    """The first `n` pictures (default: as many as the manifest's figures stand on) that nothing was trained on.

    `folder` and `download` are where pictures in files come from. Raises ValueError if they are not there.
    """
    n = n or DATA_SETS[dataset].n_unseen
    return Pictures.of(dataset, train=False, n=n, folder=folder, download=download)


def measure(model: nn.Module, data: Pictures, pgd_steps: int, eps: float) -> Evaluation:
    """Accuracy; with `pgd_steps` > 0 also under PGD within `eps` from a random start, step size 2.5 eps / steps."""
    generator = torch.Generator().manual_seed(0)
    clean = attacked = 0
    for images, labels in tqdm(data.batches(250), "evaluate", -(-len(data) // 250), mininterval=2):
        with torch.no_grad():
            clean += (model(images).argmax(1) == labels).sum().item()
        if pgd_steps:
            size = 2.5 * eps / pgd_steps
            images = sign_attack(model, images, labels, eps=eps, steps=pgd_steps, step_size=size, generator=generator)
            with torch.no_grad():
                attacked += (model(images).argmax(1) == labels).sum().item()
    n = len(data)
    return Evaluation(n, clean / n, *((attacked / n, eps) if pgd_steps else (None, None)))


def sparse_attacks(k: int) -> dict[str, Attack]:
    """The attacks whose worst case is meant: by gradients, without any, and by both. `k` pixels may change."""
    return {
        "greedy": Greedy(),  # looks for the fewest pixels: those of k and less count
        "sparse-pgd, full": SparsePGD(k=k, backward="full", steps=100),
        "sparse-pgd, sparse": SparsePGD(k=k, backward="sparse", steps=100),
        "random": RandomSearch(k=k, queries=2000, prune=False),
    }


def measure_sparse(model: nn.Module, data: Pictures, k: int, batch: int = 100) -> SparseAccuracy:
    """Accuracy under the union of sparse_attacks(k): each attacks what the ones before it have not fooled."""
    attacks, left = sparse_attacks(k), dict.fromkeys(["none", *sparse_attacks(k)], 0)
    batches = list(data.batches(batch))
    with tqdm(total=len(batches) * len(attacks), desc="evaluate, sparse", mininterval=2) as bar:
        for images, labels in batches:
            with torch.no_grad():
                right = model(images).argmax(1) == labels
            left["none"] += int(right.sum())
            for name, attack in attacks.items():
                images, labels = images[right], labels[right]
                right = right[right]
                if len(images):
                    result = attack(model, images, labels)
                    right = ~(result.succeeded & (result.n_pixels <= k))
                left[name] += int(right.sum())
                bar.update()
    after = {name: n / len(data) for name, n in left.items()}
    return SparseAccuracy(len(data), [*after.values()][-1], k, after)


def evaluate(
    name: str,
    device: str = "auto",
    n: int | None = None,
    pgd_steps: int = 20,
    assets: Path = ASSETS,
    folder: Path | None = None,
    download: bool = False,
    sparse_pixels: int | None = None,
    sparse_n: int = N_SPARSE,
) -> Evaluation:
    """Measure a bundled classifier on `n` unseen pictures, and under PGD of `pgd_steps` steps (0: not).

    The radius is the manifest's, else the usual one for the data set. The first
    `sparse_n` pictures are also measured under sparse attacks with `sparse_pixels` (0: not): by default the manifest's
    number, which only networks have that were trained against sparse attacks.
    """
    model = load_bundled(name, assets).to(best_device() if device == "auto" else device)
    data = unseen_pictures(model.dataset, n, folder, download).to(model.device)
    entry = read_manifest(assets)[name]
    evaluation = measure(model, data, pgd_steps, entry.eps or DATA_SETS[model.dataset].eps)
    pixels = entry.sparse_pixels if sparse_pixels is None else sparse_pixels
    if not pixels:
        return evaluation
    return replace(evaluation, sparse=measure_sparse(model, data.first(sparse_n), pixels))
