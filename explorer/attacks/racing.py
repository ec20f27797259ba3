"""A race of classes: grow towards several wrong classes at once; the first that is reached wins. Ours.

The class that a network sees next in an image need not be the one that the fewest units reach. So the likeliest wrong
classes are measured by the distance to where the network would tie, were it linear, margin / ||gradient||_2 (DeepFool,
arXiv 1511.04599, equation 8), and the image is grown towards each of the nearest ones, in a lane of its own. All lanes
of an image have equally many units, so the first one there needs the fewest. After every eighth unit half of the
lanes are given up, those with the longest way to go at their pace.
"""

from dataclasses import replace

import torch
from torch import Tensor

from explorer.attacks import growing
from explorer.attacks.problem import Problem
from explorer.attacks.rows import Rows
from explorer.attacks.stage import State
from explorer.types import Labels, PerImage

MEASURED = 3  # times as many wrong classes as lanes, the likeliest: their distances are measured
MOST_LANES = 17
SINGLY, PUSH = 16, 0.15  # see growing.grow; more units at a time, or larger steps, leave more of them in the end
HALVED = 8  # steps after which half of the lanes are given up: earlier, their margins say too little
MOST_HALVINGS = 16  # which leave one of any number of lanes
LEAST = 1e-6  # logits
IN_LANES = "in lanes: "


def nearest(problem: Problem, count: int) -> Labels:
    """The `count` nearest of the likeliest wrong classes of each image, nearest first: (b, lanes); all, where there
    are fewer. Where the problem has targets, these alone: (b, 1).
    """
    if problem.targets is not None:
        return problem.targets[:, None]
    logits = problem.logits(problem.images)
    wrong = logits.scatter(1, problem.labels[:, None], -torch.inf)
    likeliest = wrong.topk(min(MEASURED * count, wrong.shape[1] - 1), dim=1).indices
    distance = torch.stack([_distance(replace(problem, targets=aim)) for aim in likeliest.unbind(1)], 1)
    return likeliest.gather(1, distance.argsort(dim=1, stable=True)[:, :count])


def _distance(problem: Problem) -> PerImage:
    """To the targets, by what may change."""
    margin, gradient = problem.margin_and_gradient(problem.images)
    slope = (gradient * (problem.low < problem.high)).flatten(1).norm(dim=1)
    return margin / slope.clamp_min(torch.finfo(slope.dtype).tiny)


def start(problem: Problem, count: int) -> State:
    """The clean images, each in `count` lanes, and nothing tried. What belongs to the lanes has their number as its
    second dimension.
    """
    aims = nearest(problem, count)
    lanes = growing.start(_in_lanes(problem, aims), kinds=1)
    return {
        "candidate": problem.images,
        "margin": torch.zeros_like(problem.images[:, 0, 0, 0]),
        "finished": torch.zeros_like(problem.labels, dtype=torch.bool),
        "aims": aims,
        "first": torch.zeros_like(lanes["margin"]).view_as(aims),  # margin, of the clean image
        **{IN_LANES + name: tensor.unflatten(0, aims.shape) for name, tensor in lanes.items()},
    }


def race(problem: Problem, state: State, candidates: int, lookahead: float, t: Tensor) -> State:
    """Grow in every lane, see growing.grow: the step number `t` (), from 0. The candidate is what is nearest to fooling
    in any lane. An image is finished when that fools, or when no lane can go on.
    """
    aims = state["aims"]
    wide = _in_lanes(problem, aims)
    lanes = {name.removeprefix(IN_LANES): state[name].flatten(0, 1) for name in state if name.startswith(IN_LANES)}
    rows = Rows(wide, ~lanes["finished"])
    if not rows.empty:
        grown = growing.grow(
            rows.problem, {name: rows.of(tensor) for name, tensor in lanes.items()}, candidates, SINGLY, PUSH, lookahead
        )
        lanes = {name: rows.put(tensor, grown[name]) for name, tensor in lanes.items()}
    lanes = {name: tensor.unflatten(0, aims.shape) for name, tensor in lanes.items()}
    margin, over = lanes["margin"], lanes["finished"]
    first = torch.where(t == 0, margin, state["first"])
    way = margin / (first - margin).clamp_min(LEAST)  # still to go, next to what is done
    rank = way.masked_fill(over, torch.inf).argsort(dim=1, stable=True).argsort(dim=1)
    left = aims.shape[1] // 2 ** ((t + 1) // HALVED).clamp_max(MOST_HALVINGS)
    lanes["finished"] = over | ((rank >= left) & (rank > 0))
    candidate = lanes["candidate"][torch.arange(len(aims), device=aims.device), margin.argmin(1)]
    margin = problem.margin(candidate)  # not that of the lane: another class may be there before
    return {
        "candidate": candidate,
        "margin": margin,
        "finished": (margin < 0) | lanes["finished"].all(1),
        "aims": aims,
        "first": first,
        **{IN_LANES + name: tensor for name, tensor in lanes.items()},
    }


def _in_lanes(problem: Problem, aims: Labels) -> Problem:
    """Every image as often as it has aims, (b * lanes) in all, towards one of them each."""
    b, lanes = aims.shape
    owner = torch.arange(b, device=aims.device).repeat_interleave(lanes)
    return replace(problem.of(owner), targets=aims.flatten())
