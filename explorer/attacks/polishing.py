"""Polishing: get by with fewer units than pruning left. Ours.

First the survivors are pushed to the full: free signs, whole box. Then a local search: with one unit fewer than the
best image, swap units one at a time until that fools; repeat from there. What was tried is remembered. Where every swap
was refused, a near miss is pushed once more, and a *kick* puts half of the units back at random and builds anew.
"""

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.moves import MANY, push, reverted, single_reversals, without
from explorer.attacks.problem import Problem
from explorer.attacks.proposals import Memory, looking_ahead, try_newcomers
from explorer.attacks.randomness import keys_of, uniform
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.types import Images, PerImage

PUSH_STEPS, PUSH_SIZE = 6, 0.1  # sign steps before the search, or of a near miss; size in [0, 1] units
SWAP_STEPS, SWAP_SIZE = 2, 0.3  # sign steps after a swap
WINS = 40  # rounds in which an image gives up a unit: they do not count as swaps


@dataclass(frozen=True)
class Polishing:
    """Look for a fooling image with one unit fewer, by swapping units one at a time; repeat from what was found.

    For each image on its own: take out the unit that matters least, try the most promising proposals instead, keep the
    best, push, and accept if the margin fell. A unit whose replacement was refused is not taken out again before a swap
    is accepted; an image whose units were all refused is pushed or kicked, or finished. Images that do not fool yet
    keep their number of units, so a swap may rescue them.
    """

    swaps: int = 10  # rounds of swaps of each image
    kicks: int = 1  # of each image
    candidates: int = 32  # newcomers tried per round
    lookahead: float = 0.0  # see proposals.looking_ahead; 0: not
    push_within: float = math.inf  # no push where the newcomer leaves a larger share of what the leaver cost
    near_miss: float = 0.0  # push where all units were refused and the margin is a smaller share of what the least one
    # costs, instead of before the search; 0: before the search
    few: int = 0  # so many units, or fewer, are swapped once more where all were refused: for what was never tried

    name = "polished"
    capturable = True

    @property
    def rounds(self) -> int:
        return self.swaps + WINS

    @property
    def expected(self) -> int:
        return self.swaps

    def start(self, problem: Problem, images: Images) -> State:
        """The images, pushed where they fool, or not yet. Those with more than MANY changed units are finished."""
        count = problem.changed(images).sum(1)
        margin = problem.margin(images)
        if not self.near_miss:
            images, margin = _pushed(problem, (margin < 0) & (count <= MANY), images, margin, PUSH_STEPS, PUSH_SIZE)
        nothing = torch.zeros_like(problem.free)
        return {
            "candidate": images,
            "margin": margin,
            "finished": (count > MANY) | (count == 0),
            "goal": count,  # units to fool with
            "refused": nothing,
            "reversals": torch.zeros_like(nothing, dtype=images.dtype),  # of the candidate, where they are not stale
            "stale": torch.ones_like(nothing[:, 0]),
            "untried": torch.zeros_like(nothing[:, 0]),  # only what was never tried is tried
            "swapped": torch.zeros_like(count),
            "kicked": torch.zeros_like(count),
            "keys": keys_of(problem.images),
            **vars(Memory.empty(problem, kinds=3 if self.kicks else 1)),  # the others come in with a kick
        }

    def step(self, problem: Problem, state: State, t: Tensor) -> State:
        """Of an image that fools: give up a unit. Of any other: swap one; push; or kick and add them again."""
        s = dict(state)
        live = ~s["finished"]
        won = live & (s["margin"] < 0)
        full = problem.changed(s["candidate"]).sum(1) >= s["goal"]
        s = self._reversed(problem, s, live & (won | (full & s["stale"])))
        s = self._given_up(problem, s, won)
        s, nearer = self._nearer(problem, s, live & ~won)
        others = live & ~won & ~nearer
        s, searching = self._kicked(problem, s, others, t)
        s = self._swapped(problem, s, searching)
        s["finished"] = (
            ~live
            | (s["goal"] <= 0) & ~(s["margin"] < 0)
            | (others & ~searching)
            | (s["swapped"] >= self.swaps) & ~(s["margin"] < 0)
        )
        return s

    def _reversed(self, problem: Problem, s: dict, chosen: Tensor) -> dict:
        """The table of single reversals anew, for the chosen images."""
        rows = Rows(problem, chosen)
        if not rows.empty:
            table = single_reversals(rows.problem, rows.of(s["candidate"]))
            s["reversals"] = rows.put(s["reversals"], table)
        s["stale"] = s["stale"] & ~chosen
        return s

    def _given_up(self, problem: Problem, s: dict, won: Tensor) -> dict:
        """Images that fool go on without the unit that matters least: it is the next one's turn to be judged."""
        left, leaver = s["reversals"].min(1)
        fewer = without(problem, s["candidate"], leaver)
        s["goal"] = torch.where(won, problem.changed(fewer).sum(1), s["goal"])
        s["candidate"] = torch.where(won[:, None, None, None], fewer, s["candidate"])
        s["margin"] = torch.where(won, left, s["margin"])
        s["refused"] = s["refused"] & ~won[:, None]
        s["untried"] = s["untried"] & ~won
        s["stale"] = s["stale"] | won
        return s

    def _nearer(self, problem: Problem, s: dict, live: Tensor) -> tuple[dict, Tensor]:
        """Push near misses where every unit was refused. And who got nearer, and may swap all units again."""
        if not self.near_miss:
            return s, torch.zeros_like(live)
        cost = s["reversals"].amin(1) - s["margin"]
        near = _stuck(problem, s, live) & (s["goal"] > 0) & (s["margin"] < self.near_miss * cost)
        candidate, margin = _pushed(problem, near, s["candidate"], s["margin"], PUSH_STEPS, PUSH_SIZE)
        nearer = margin < s["margin"]
        s["candidate"], s["margin"] = candidate, margin
        s["refused"] = s["refused"] & ~nearer[:, None]
        s["stale"] = s["stale"] | nearer
        return s, nearer

    def _kicked(self, problem: Problem, s: dict, live: Tensor, t: Tensor) -> tuple[dict, Tensor]:
        """Where every unit was refused, swap them for what was never tried, if they are few; after that, put half of
        them back, if there are kicks left. And who goes on searching.
        """
        stuck = _stuck(problem, s, live)
        again = stuck & ~s["untried"] & (s["goal"] <= self.few)
        s["refused"], s["untried"] = s["refused"] & ~again[:, None], s["untried"] | again
        stuck = stuck & ~again
        kick = stuck & (s["kicked"] < self.kicks)
        rows = Rows(problem, kick)
        if not rows.empty:
            changed = rows.problem.changed(rows.of(s["candidate"]))
            drawn = uniform(rows.of(s["keys"]), t, changed.shape[1]).masked_fill(~changed, torch.inf)
            rank = drawn.argsort(1).argsort(1)
            out = rank < ((changed.sum(1) + 1) // 2)[:, None]
            s["candidate"] = rows.put(s["candidate"], reverted(rows.problem, rows.of(s["candidate"]), out))
            s["refused"] = rows.put(s["refused"], out)  # not back in while the image is rebuilt
        s["untried"] = s["untried"] & ~kick
        s["stale"] = s["stale"] | kick
        s["kicked"] = s["kicked"] + kick
        return s, live & (s["goal"] > 0) & ~(stuck & ~kick)

    def _swapped(self, problem: Problem, s: dict, searching: Tensor) -> dict:
        """Swap one unit, or add one where a kick has left fewer than the goal; keep it if the margin falls."""
        rows = Rows(problem, searching)
        if rows.empty:
            return s
        part, current, margin = rows.problem, rows.of(s["candidate"]), rows.of(s["margin"])
        goal, refused, reversals = rows.of(s["goal"]), rows.of(s["refused"]), rows.of(s["reversals"])
        changed = part.changed(current)
        adds = changed.sum(1) < goal
        leaver = reversals.masked_fill(refused | ~changed, torch.inf).argmin(1)
        base = torch.where(adds[:, None, None, None], current, without(part, current, leaver))
        before, gradient = part.margin_and_gradient(base)
        if self.lookahead:
            gradient = looking_ahead(part, base, gradient, changed, self.lookahead)
        memory = Memory(*(rows.of(s[field.name]) for field in dataclasses.fields(Memory)))
        barred = changed | (refused & adds[:, None])
        kicked, untried = rows.of(s["kicked"]) > 0, rows.of(s["untried"])
        trial = try_newcomers(part, base, before, gradient, barred, memory, kicked, self.candidates, untried)
        candidate, reached = trial.best(base, part), trial.margin.min(1).values
        far = reached - margin > self.push_within * (before - margin).abs()
        candidate, reached = _pushed(part, ~far | adds, candidate, reached, SWAP_STEPS, SWAP_SIZE)

        taken = (reached < margin) | adds
        whole = taken & (changed.sum(1) + adds >= goal)
        s["untried"] = rows.put(s["untried"], untried & ~whole)
        refused = refused & ~whole[:, None]
        refused = refused.scatter(1, leaver[:, None], refused.gather(1, leaver[:, None]) | ~taken[:, None])
        s["candidate"] = rows.put(s["candidate"], torch.where(taken[:, None, None, None], candidate, current))
        s["margin"] = rows.put(s["margin"], torch.where(taken, reached, margin))
        s["refused"] = rows.put(s["refused"], refused)
        s["stale"] = rows.put(s["stale"], rows.of(s["stale"]) | taken)
        s["swapped"] = rows.put(s["swapped"], rows.of(s["swapped"]) + 1)
        for name, value in vars(trial.memory).items():
            s[name] = rows.put(s[name], value)
        return s


def _stuck(problem: Problem, s: dict, live: Tensor) -> Tensor:
    """Which of the images `live` (b,) have as many units as they may, all of which were refused."""
    changed = problem.changed(s["candidate"])
    return live & (changed.sum(1) >= s["goal"]) & ~(changed & ~s["refused"]).any(1)


def _pushed(
    problem: Problem, mask: Tensor, images: Images, margin: PerImage, steps: int, size: float
) -> tuple[Images, PerImage]:
    """The images and their margins, after a push of those of `mask` (b,); see push."""
    rows = Rows(problem, mask)
    if rows.empty:
        return images, margin
    best, least = push(rows.problem, rows.of(images), steps, size)
    return rows.put(images, best), rows.put(margin, least)
