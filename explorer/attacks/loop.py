"""One stage of an attack, step after step: the books after each, an early end for images that are done, and Stop, of
one image or of all.
"""

from dataclasses import replace

import torch
from torch import Tensor

from explorer.attacks.books import Books, Progress
from explorer.attacks.capture import Captured, begun, captured
from explorer.attacks.problem import Problem
from explorer.attacks.stage import Stage, State

CAPTURED_PICTURES = 64  # of more, leaving out those that are done saves more than capturing does
LOOK, LOOK_FOR_END = 10, 3  # captured steps between two looks from the host: all, and where it may be over before


def run_stage(stage: Stage, problem: Problem, books: Books, progress: Progress, *, first: bool) -> State:
    """Run the stage from the best images so far, and return its last state. `first`: it is the attack's own stage,
    whose steps are traced and counted one by one.
    """
    state = None
    if problem.peeks or len(problem.images) > CAPTURED_PICTURES:
        state = begun(stage, problem, books.best)
        problem = replace(problem, peeks=problem.peeks or "finished" in state)
    replay = None if problem.peeks else captured(stage, problem, books, state, traced=first)
    if replay is not None:
        return _replayed(stage, replay, books, progress, first=first)
    problem = replace(problem, peeks=True)
    state = begun(stage, problem, books.best) if state is None else state
    return _one_by_one(stage, problem, state, books, progress, first=first)


def _replayed(stage: Stage, replay: Captured, books: Books, progress: Progress, *, first: bool) -> State:
    done, over = 0, False
    while not over:
        steps = min(LOOK_FOR_END if replay.ends_early else LOOK, stage.rounds - done)
        state = replay.replay(steps)
        done += steps
        over = done >= stage.rounds or (replay.ends_early and bool(state["finished"].all()))
        if over or progress.heard:
            state = replay.found(books)
        over |= progress.tell(stage, steps, state["candidate"] if first else None)
    return state


def _one_by_one(
    stage: Stage, problem: Problem, state: State, books: Books, progress: Progress, *, first: bool
) -> State:
    live = None  # all images
    n = len(problem.images)
    for t in range(stage.rounds):
        if "finished" in state or progress.left is not None:
            going = _going(state, progress, live)
            if not going.any():
                break
            if not going.all():
                kept = going.nonzero()[:, 0]
                live = kept if live is None else live[kept]
                problem = problem.of(kept)
                state = {name: tensor[kept] for name, tensor in state.items()}
        step = torch.tensor(t, device=problem.images.device)
        state = stage.step(problem, state, step)
        books.note(problem, state, live, step if first else None)
        if progress.tell(stage, 1, state["candidate"] if first else None, live):
            break
    if live is not None and "weights" in state:
        weights = state["weights"]
        state = {**state, "weights": weights.new_zeros(n, weights.shape[1]).index_copy(0, live, weights)}
    return state


def _going(state: State, progress: Progress, live: Tensor | None) -> Tensor:
    """Which of the images of this state (m,) are neither done nor stopped."""
    finished = state["finished"] if "finished" in state else torch.zeros_like(state["margin"], dtype=torch.bool)
    if progress.left is None:
        return ~finished
    return ~(finished | (progress.left if live is None else progress.left[live]))
