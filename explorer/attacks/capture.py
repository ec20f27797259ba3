"""Captured steps: on CUDA one step is recorded as a graph and replayed, instead of launching its kernels one by one.

At batch 1 an attack on a small network is bound by launches, not by arithmetic. A graph works on fixed buffers: those
of the problem, the state and the books are filled anew for every attack of the same network, shape and structure. It
reads the network's numbers where they lie, so whatever may move or change them is part of its key.
"""

import dataclasses
import logging
import threading
import weakref
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer import memory
from explorer.adapter import Adapted
from explorer.attacks.books import Books
from explorer.attacks.problem import Problem
from explorer.attacks.stage import Stage, State

KEPT = 8  # graphs per network, the newest; each holds its buffers
SPARE = 4  # a step is captured if the device has room for so many times as many pictures: graphs hold their memory
WARM_UP = 3  # steps before a capture: libraries choose their algorithms and workspaces

_log = logging.getLogger(__name__)
_recording = threading.Lock()  # one capture at a time in a process
_kept: "weakref.WeakKeyDictionary[nn.Module, OrderedDict[tuple, Captured | None]]" = weakref.WeakKeyDictionary()


class Blindfold(TorchDispatchMode):
    """Raises RuntimeError where the host would look at values, or carry them between devices: a capture that is begun
    and then fails leaves the allocator in a state that only a restart mends, so it is found out before.
    """

    LOOKS = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.unique")
    INDEXING = ("aten.index.Tensor", "aten.index_put.default", "aten.index_put_.default")

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = str(function)
        masked = name in self.INDEXING and any(each is not None and each.dtype == torch.bool for each in args[1])
        if masked or name.startswith(self.LOOKS):
            raise RuntimeError(f"{name} looks at values")
        result = function(*args, **(kwargs or {}))
        tensors = [each for each in tree_leaves((args, kwargs, result)) if torch.is_tensor(each) and each.ndim]
        if len({tensor.device for tensor in tensors}) > 1:
            raise RuntimeError(f"{name} carries values between devices")
        return result


class Captured:
    """One step of a stage with its entry in the books, on buffers of its own."""

    def __init__(self, stage: Stage, problem: Problem, state: State, books: Books, traced: bool) -> None:
        network = weakref.proxy(problem.network)  # it would never be let go otherwise
        self._stage, self._traced = stage, traced
        self._problem = replace(problem, network=network, **_copies(problem.tensors()))
        self._state = _copies(state)
        self._books = Books(problem, books.rows)
        self._device = problem.images.device
        self._t = torch.zeros((), dtype=torch.int64, device=self._device)
        self._graph: torch.cuda.CUDAGraph | None = None

    def record(self) -> None:
        """Capture the step; until then `replay` runs it. Raises RuntimeError if it cannot be captured."""
        with Blindfold():
            self._body()
        with _recording, torch.cuda.device(self._device):
            current, stream = torch.cuda.current_stream(), torch.cuda.Stream()
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                for _ in range(min(WARM_UP, self._stage.rounds)):
                    self._body()
            current.wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with (
                torch.cuda.stream(current),  # whatever happens inside, the thread comes back to this one
                torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"),
            ):
                self._body()
            self._graph = graph

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
            if self._graph is None:
                self._body()
            else:
                with torch.cuda.device(self._device):
                    self._graph.replay()
        books.copy_from(self._books)
        return _copies(self._state)


def captured(stage: Stage, problem: Problem, state: State, books: Books, *, traced: bool) -> Captured | None:
    """What replays the stage's steps from `state`; None where a step of this network cannot be captured, or is not
    worth the memory.
    """
    owner = problem.network.network if isinstance(problem.network, Adapted) else problem.network
    if not isinstance(owner, nn.Module) or len(problem.images) * SPARE > problem.forward_size:
        return None  # what another callable reads cannot be known, and so not whether a graph still holds
    graphs = _kept.setdefault(owner, OrderedDict())
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
    except (RuntimeError, ValueError) as error:
        if memory.is_shortage(error):
            raise
        _log.warning("%s: steps run one by one, as they cannot be captured (%s)", stage.name, str(error).split("\n")[0])
        return None


def _key(stage: Stage, problem: Problem, state: State, books: Books) -> tuple:
    """What must be alike for a graph to be used again; everything else is in the buffers."""
    tensors = (*problem.tensors().values(), *state.values(), *books.tensors())
    shapes = tuple((tuple(tensor.shape), tensor.dtype) for tensor in tensors)
    structure = replace(problem, network=None, forward_size=0, **dict.fromkeys(problem.tensors()))
    return structure_of(stage), str(structure), tuple(state), shapes, problem.images.device, _numbers(problem.network)


def structure_of(stage: Stage) -> str:
    """The stage with all its knobs but those that differ from image to image, which lie in its state."""
    return str(dataclasses.replace(stage, **dict.fromkeys(getattr(stage, "per_image", ()), 0.5)))


def _numbers(network: nn.Module) -> tuple:
    """What the network computes with: where its tensors lie, and the plain values of its modules."""
    known: list[Any] = [tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())]
    for module in network.modules():
        for name, value in vars(module).items():
            if torch.is_tensor(value):
                known.append((name, value.data_ptr()))
            elif isinstance(value, bool | int | float | str | tuple):
                known.append((name, str(value)))
    return tuple(known)


def _copies(tensors: State) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


memory.ON_SHORTAGE.append(_kept.clear)
