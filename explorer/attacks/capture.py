"""Captured steps: on CUDA one step is recorded as a graph and replayed, instead of launching its kernels one by one.

At batch 1 an attack on a small network is bound by launches, not by arithmetic. A graph works on fixed buffers: those
of the problem, the state and the books are filled anew for every attack of the same network, shape and structure.
"""

import dataclasses
import logging
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from explorer.attacks.books import Books
from explorer.attacks.problem import Problem
from explorer.attacks.stage import Stage, State
from explorer.memory import is_shortage

KEPT = 8  # graphs per network, the newest; each holds its buffers
WARM_UP = 3  # steps before a capture: libraries choose their algorithms and workspaces

_log = logging.getLogger(__name__)
_kept: "weakref.WeakKeyDictionary[Callable, OrderedDict[tuple, Captured | None]]" = weakref.WeakKeyDictionary()


class Captured:
    """One step of a stage with its entry in the books, on buffers of its own."""

    def __init__(self, stage: Stage, problem: Problem, state: State, books: Books, traced: bool) -> None:
        network = weakref.proxy(problem.network)  # it would never be let go otherwise
        self._stage, self._traced = stage, traced
        self._problem = replace(problem, network=network, **_copies(problem.tensors()))
        self._state = _copies(state)
        self._books = Books(problem, books.rows)
        self._t = torch.zeros((), dtype=torch.int64, device=problem.images.device)
        self._again: Callable[[], None] = self._body

    def record(self) -> None:
        """Capture the step; until then `replay` runs it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(min(WARM_UP, self._stage.rounds)):
                self._body()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._body()
        self._again = graph.replay

    def _body(self) -> None:
        """One step, from the buffers into the same buffers."""
        new = self._stage.step(self._problem, self._state, self._t)
        self._books.note(self._problem, new, None, self._t if self._traced else None)
        buffers = {tensor.untyped_storage().data_ptr() for tensor in self._state.values()}
        moved = {name: tensor for name, tensor in new.items() if tensor is not self._state[name]}
        for name, tensor in moved.items():
            if tensor.untyped_storage().data_ptr() in buffers:  # which is about to be written
                moved[name] = tensor.clone()
        for name, tensor in moved.items():
            self._state[name].copy_(tensor)
        self._t.add_(1)

    def fill(self, problem: Problem, state: State, books: Books) -> None:
        """Begin another attack of the same shape and structure."""
        for name, tensor in problem.tensors().items():
            getattr(self._problem, name).copy_(tensor)
        for name, tensor in state.items():
            self._state[name].copy_(tensor)
        self._books.copy_from(books)
        self._t.zero_()

    def replay(self, steps: int, books: Books) -> State:
        """So many steps more; what they found goes into `books`."""
        for _ in range(steps):
            self._again()
        books.copy_from(self._books)
        return _copies(self._state)


def captured(stage: Stage, problem: Problem, state: State, books: Books, *, traced: bool) -> Captured | None:
    """What replays the stage's steps from `state`; None where a step of this network cannot be captured."""
    graphs = _kept.setdefault(problem.network, OrderedDict())
    key = _key(stage, problem, state, books)
    if key not in graphs:
        graphs[key] = _recorded(stage, problem, state, books, traced)
        while len(graphs) > KEPT:
            graphs.popitem(last=False)
    graphs.move_to_end(key)
    if graphs[key] is not None:
        graphs[key].fill(problem, state, books)
    return graphs[key]


def _recorded(stage: Stage, problem: Problem, state: State, books: Books, traced: bool) -> Captured | None:
    try:
        step = Captured(stage, problem, state, books, traced)
        step.record()
        return step
    except RuntimeError as error:
        if is_shortage(error):
            raise
        _log.warning("%s: steps run one by one, as they cannot be captured (%s)", stage.name, str(error).split("\n")[0])
        return None


def _key(stage: Stage, problem: Problem, state: State, books: Books) -> tuple:
    """What must be alike for a graph to be used again; everything else is in the buffers."""
    tensors = (*problem.tensors().values(), *state.values(), *books.tensors())
    shapes = tuple((tuple(tensor.shape), tensor.dtype) for tensor in tensors)
    structure = replace(problem, network=None, **dict.fromkeys(problem.tensors()))
    return structure_of(stage), str(structure), tuple(state), shapes, problem.images.device, _weights(problem.network)


def structure_of(stage: Stage) -> str:
    """The stage with all its knobs but those that differ from image to image, which lie in its state."""
    return str(dataclasses.replace(stage, **dict.fromkeys(getattr(stage, "per_image", ()), 0.5)))


def _weights(network: Callable) -> tuple[int, ...]:
    """Where the network's numbers lie: a graph reads them there."""
    if not isinstance(network, torch.nn.Module):
        return ()
    return tuple(tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers()))


def _copies(tensors: State) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}
