"""Many settings on many pictures: each pair is one image of a batch, with an a, a lambda and a tau of its own."""

import dataclasses
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch

from explorer.attacks import SparseAttack
from explorer.types import Images, Labels, Network

Setting = tuple[float, float, float]  # a, lam, tau


def grid(a: Sequence[float], lam: Sequence[float], tau: Sequence[float]) -> list[Setting]:
    """Every combination, tau changing fastest."""
    return list(product(a, lam, tau))


def sweep(
    network: Network,
    images: Images,
    labels: Labels,
    settings: Sequence[Setting],
    attack: SparseAttack,
    *,
    batch: int,
    on_progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """One row per setting and picture (its place in `images`), the pictures changing fastest: what `attack` with this
    a, lam and tau did. `on_progress` hears how many rows are new after each batch. Raises ValueError on a bad setting.
    """
    rows = []
    pairs = [(setting, picture) for setting in settings for picture in range(len(images))]
    for first in range(0, len(pairs), batch):
        some = pairs[first : first + batch]
        a, lam, tau = torch.tensor([setting for setting, _ in some], dtype=torch.float64, device=images.device).T
        chosen = torch.tensor([picture for _, picture in some], device=images.device)
        result = dataclasses.replace(attack, a=a, lam=lam, tau=tau)(network, images[chosen], labels[chosen])
        columns = {
            "label": result.labels,
            "adversarial_label": result.adversarial_labels,
            "succeeded": result.succeeded,
            "n_pixels": result.n_pixels,
            "n_entries": result.n_entries,
        }
        columns |= {f"{stage}_pixels": count for stage, count in result.stage_pixels().items()}
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        for ((a, lam, tau), picture), row in zip(some, values, strict=True):
            rows.append({"picture": picture, "a": a, "lam": lam, "tau": tau, **dict(zip(columns, row, strict=True))})
        if on_progress:
            on_progress(len(some))
    return rows
