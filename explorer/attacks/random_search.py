"""Sparse-RS (Croce et al., arXiv 2006.12834): random search for k pixels that fool, by the network's answers alone.

Each query exchanges some of the k pixels for others, at random, each channel at an end of its box, and keeps what
lowers the margin. How many are exchanged falls over the queries, as published. One difference: a new pixel never has
the colour that it had (published: only where a single pixel is exchanged).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.attack import Attack
from explorer.attacks.problem import Problem
from explorer.attacks.random_swaps import exchanged
from explorer.attacks.randomness import keys_of
from explorer.attacks.stage import State
from explorer.knobs import knob
from explorer.types import Images

# From which of 10,000 queries on the share of exchanged pixels is the first one divided by so much.
SCHEDULE = ((0, 2), (50, 4), (200, 5), (500, 6), (1000, 8), (2000, 10), (4000, 12), (6000, 15), (8000, 20))


@dataclass(frozen=True)
class RandomSearch(Attack):
    """Exchange pixels at random and keep what helps: any callable can be attacked, as no gradient is asked for.

    Call it with (network, images, labels). Pruning needs no gradients either; polishing does.
    """

    title = "Random search (Sparse-RS)"
    summary = "Tries random pixels and colours and keeps what helps: needs no gradients, only the network's answers."
    source = "arXiv 2006.12834"
    main = ("queries", "k", "share")
    black_box = True

    queries: int = knob(3000, "Pictures shown to the network.", low=1, high=1_000_000, slider=(100, 10_000), log=True)
    k: int = knob(24, "Units that are changed at once; pruning then takes back what is not needed.",
                  low=1, high=10**6, slider=(1, 100))  # fmt: skip
    share: float = knob(
        0.8, "Share of the k units that is exchanged at first (α); it falls to a twentieth of that.",
        label="α · share exchanged", low=0, open_low=True, high=1, slider=(0.05, 1.0),
    )  # fmt: skip
    polish: bool = knob(False, "Push the surviving pixels further and swap them; this does need gradients.")

    @property
    def rounds(self) -> int:
        return self.queries

    @property
    def needs_units(self) -> int:
        """k, or the limit of changed units where that is less."""
        return self.k if self.max_pixels is None else min(self.k, self.max_pixels)

    def start(self, problem: Problem, images: Images) -> State:
        """K units at random."""
        keys, nobody = keys_of(images, self.seed), torch.zeros_like(problem.free)
        step = torch.full((), -1, device=images.device)
        k = self.needs_units
        first, inside = exchanged(problem, images, nobody, keys, step, k, torch.full_like(step, k))
        return {
            "keys": keys,
            "current": first,  # the best so far
            "inside": inside,
            "held": torch.full_like(images[:, 0, 0, 0], torch.inf),  # its margin, once it is known
            "candidate": first,
            "margin": torch.zeros_like(images[:, 0, 0, 0]),
            "finished": torch.zeros_like(problem.labels, dtype=torch.bool),
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """One query."""
        most = max(1, int(self.share / SCHEDULE[0][1] * self.needs_units))
        number = (self._share(t) * self.needs_units).long().clamp_min(1)
        tried, inside = exchanged(problem, state["current"], state["inside"], state["keys"], t, most, number)
        stays = (t == 0) | state["finished"]  # the first query is that of the start
        tried = torch.where(stays[:, None, None, None], state["current"], tried)
        inside = torch.where(stays[:, None], state["inside"], inside)
        margin = problem.margin(tried)
        better = margin < state["held"]
        return {
            "keys": state["keys"],
            "current": torch.where(better[:, None, None, None], tried, state["current"]),
            "inside": torch.where(better[:, None], inside, state["inside"]),
            "held": torch.where(better, margin, state["held"]),
            "candidate": tried,
            "margin": margin,
            "finished": margin < 0,
        }

    def _share(self, t: Tensor) -> Tensor:
        """Of the units that are exchanged at query `t` ()."""
        place, share = t * 10_000 / self.queries, torch.full_like(t, self.share / SCHEDULE[0][1], dtype=torch.float32)
        for begin, divisor in SCHEDULE[1:]:
            share = torch.where(place > begin, self.share / divisor, share)
        return share
