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
from collections.abc import Callable
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
from explorer.attacks.validation import per_image
from explorer.types import Images

KEPT = 16  # stages per network, the newest; each holds its buffers
SPARE = 4  # a step is captured if the device has room for so many times as many pictures: graphs hold their memory
WARM_UP = 3  # runs before a capture: libraries choose their algorithms and workspaces
SPAN = 5  # steps in one graph, where no image is finished before the last: what lies between them is not copied

_log = logging.getLogger(__name__)
_recording = threading.Lock()  # one capture at a time in a process
_kept: "weakref.WeakKeyDictionary[nn.Module, OrderedDict[tuple, Captured | None]]" = weakref.WeakKeyDictionary()


class Blindfold(TorchDispatchMode):
    """Raises RuntimeError where the host would look at values, or carry them between devices: a capture that is begun
    and then fails leaves the allocator in a state that only a restart mends, so it is found out before.
    """

    LOOKS = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.unique")
    COPIES = ("aten._to_copy", "aten.copy_")
    INDEXING = ("aten.index.Tensor", "aten.index_put.default", "aten.index_put_.default")

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = str(function)
        masked = name in self.INDEXING and any(each is not None and each.dtype == torch.bool for each in args[1])
        if masked or name.startswith(self.LOOKS):
            raise RuntimeError(f"{name} looks at values")
        result = function(*args, **(kwargs or {}))
        carried = name.startswith(self.COPIES)  # of another device's numbers, only single ones can be read in passing
        leaves = tree_leaves((args, kwargs, result))
        tensors = [each for each in leaves if torch.is_tensor(each) and (each.ndim or carried)]
        if len({tensor.device for tensor in tensors}) > 1:
            raise RuntimeError(f"{name} carries values between devices")
        return result


class Captured:
    """The start of a stage, and its steps with their entries in the books, on buffers of their own."""

    def __init__(self, stage: Stage, problem: Problem, state: State, books: Books, traced: bool) -> None:
        network = weakref.proxy(problem.network)  # it would never be let go otherwise
        self._stage, self._traced = stage, traced
        self._problem = replace(problem, network=network, **_copies(problem.tensors()))
        self._state = _copies(state)
        self._books = Books(problem, books.rows)
        self._device = problem.images.device
        self._t = torch.zeros((), dtype=torch.int64, device=self._device)
        self.ends_early = "finished" in state
        self.span = 1 if self.ends_early or stage.rounds % SPAN else SPAN  # steps in the graph
        self._captures_start = True
        self._graph_of: dict[str, torch.cuda.CUDAGraph] = {}  # by what it does: a method would refer to its owner

    def record(self) -> None:
        """Capture the steps, and the start if that can be; until then they run. Raises RuntimeError if the steps cannot
        be captured.
        """
        self._record(self._go_on)
        try:
            self._record(self._begin)
        except RuntimeError as error:
            if memory.is_shortage(error):
                raise
            self._captures_start = False

    def _record(self, body: Callable[[], None]) -> None:
        with Blindfold():
            body()
        with _recording, torch.cuda.device(self._device):
            current, stream = torch.cuda.current_stream(), torch.cuda.Stream()
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    body()
            current.wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with (
                torch.cuda.stream(current),  # whatever happens inside, the thread comes back to this one
                torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"),
            ):
                body()
            self._graph_of[body.__name__] = graph

    def _begin(self) -> None:
        """The stage's start, into the buffers; its knobs lie there already."""
        self._keep(self._stage.start(self._problem, self._books.best.clone()))

    def _go_on(self) -> None:
        """`span` steps, from the buffers into the same buffers."""
        state = self._state
        for _ in range(self.span):
            state = self._stage.step(self._problem, state, self._t)
            self._books.note(self._problem, state, None, self._t if self._traced else None)
            self._t.add_(1)
        self._keep(state)

    def _keep(self, state: State) -> None:
        buffers = {tensor.untyped_storage().data_ptr() for tensor in self._state.values()}
        moved = {name: tensor for name, tensor in state.items() if tensor is not self._state[name]}
        for name, tensor in moved.items():
            if tensor.untyped_storage().data_ptr() in buffers:  # which is about to be written
                moved[name] = tensor.clone()
        for name, tensor in moved.items():
            self._state[name].copy_(tensor)

    def begin(self, problem: Problem, books: Books, state: State | None) -> None:
        """Another attack of the same shape and structure, from `state`, or from the stage's own start."""
        for name, tensor in problem.tensors().items():
            getattr(self._problem, name).copy_(tensor)
        self._books.copy_from(books)
        self._t.zero_()
        if state is None and self._captures_start:
            state = knobs_of(self._stage, problem)
            self._run(self._begin)
        elif state is None:
            state = begun(self._stage, problem, books.best)
        for name, tensor in state.items():
            self._state[name].copy_(tensor)

    def replay(self, steps: int) -> State:
        """So many steps more, a multiple of `span`: the state, which the next ones overwrite."""
        for _ in range(steps // self.span):
            self._run(self._go_on)
        return self._state

    def _run(self, body: Callable[[], None]) -> None:
        if body.__name__ in self._graph_of:
            with torch.cuda.device(self._device):
                self._graph_of[body.__name__].replay()
        else:
            body()

    def found(self, books: Books) -> State:
        """What the steps found goes into `books`; and a copy of the state."""
        books.copy_from(self._books)
        return _copies(self._state)


def captured(stage: Stage, problem: Problem, books: Books, state: State | None, *, traced: bool) -> Captured | None:
    """What replays the stage's steps, from `state` or its own start; None where a step of this network cannot be
    captured, or is not worth the memory.
    """
    owner = problem.network.network if isinstance(problem.network, Adapted) else problem.network
    if not isinstance(owner, nn.Module) or len(problem.images) * SPARE > problem.forward_size:
        return None  # what another callable reads cannot be known, and so not whether a graph still holds
    graphs = _kept.setdefault(owner, OrderedDict())
    key = _key(stage, problem, books)
    if key not in graphs:
        graphs[key] = _recorded(stage, problem, books, traced)
        while len(graphs) > KEPT:
            graphs.popitem(last=False)
    graphs.move_to_end(key)
    if graphs[key] is not None:
        graphs[key].begin(problem, books, state)
    return graphs[key]


def begun(stage: Stage, problem: Problem, images: Images) -> State:
    """The state before the first step, from the best `images` so far."""
    return {**stage.start(problem, images.clone()), **knobs_of(stage, problem)}


def knobs_of(stage: Stage, problem: Problem) -> dict[str, Tensor]:
    """The knobs that may differ from image to image, (b, 1) each: they are part of the state."""
    return {name: per_image(name, getattr(stage, name), problem.images)[:, None] for name in _per_image(stage)}


def _per_image(stage: Stage) -> tuple[str, ...]:
    return getattr(stage, "per_image", ())


def _recorded(stage: Stage, problem: Problem, books: Books, traced: bool) -> Captured | None:
    try:
        step = Captured(stage, problem, begun(stage, problem, books.best), books, traced)
        step.record()
        return step
    except (RuntimeError, ValueError) as error:
        if memory.is_shortage(error):
            raise
        _log.warning("%s: steps run one by one, as they cannot be captured (%s)", stage.name, str(error).split("\n")[0])
        return None


def _key(stage: Stage, problem: Problem, books: Books) -> tuple:
    """What must be alike for a graph to be used again; everything else is in the buffers."""
    tensors = (*problem.tensors().values(), *books.tensors())
    shapes = tuple((tuple(tensor.shape), tensor.dtype) for tensor in tensors)
    structure = replace(problem, network=None, forward_size=0, **dict.fromkeys(problem.tensors()))
    return structure_of(stage), str(structure), shapes, problem.images.device, _numbers(problem.network)


def structure_of(stage: Stage) -> str:
    """The stage with all its knobs but those that differ from image to image, which lie in its state."""
    return str(dataclasses.replace(stage, **dict.fromkeys(_per_image(stage), 0.5)))


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
