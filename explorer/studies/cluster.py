"""A study's parts on an existing Dask cluster. Its scheduler gives a part that a lost worker had to another one; what
is found comes back here, and only here it is written down.

A network goes to the cluster once, known by its content, and workers keep it: a bundled one by its name, a person's
own weights, and torchvision's, as safetensors. A network in Python never travels: a worker loads it from its own file,
which must hold the same.
"""

import importlib
import importlib.util
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import Empty, Queue
from types import ModuleType
from typing import Any
from uuid import uuid4

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from explorer import user_code
from explorer.classifiers import Classifier, best_device, find_card, fold_batch_norm, load_classifier
from explorer.classifiers.own import load_by_description
from explorer.classifiers.python import load_python
from explorer.defences import Defence, Defended
from explorer.grid import from_levels
from explorer.hashes import network_sha256
from explorer.locks import exclusive
from explorer.studies.engines import Found
from explorer.studies.measures import measured
from explorer.studies.part import Part
from explorer.studies.plan import Setting, Terms, version
from explorer.studies.subject import Subject
from explorer.types import Labels, OnStep, Step

SCHEME = "dask://"
INSTALL = "pip install -r requirements-dask.txt"
CONNECT = 10.0  # seconds until a scheduler must have answered
LOOK = 0.2  # seconds between two looks at what was asked meanwhile
WITHOUT = 60.0  # seconds without any worker after which a study goes no further
AHEAD = 2  # parts that each thread of the cluster has, done or waiting: none need wait for this process
KEPT = 4  # networks of a worker


@dataclass(frozen=True)
class Sent:
    """A network on its way: what a worker needs to have the same one."""

    name: str
    sha256: str  # of the network alone
    weights: bytes | None = None  # safetensors; without them it is loaded by its name
    description: str | None = None  # of a person's own weights, as JSON


@dataclass(frozen=True, eq=False)
class Order:
    """What a worker is asked to do to pictures, once it has the network."""

    attack: Setting
    defence: Defence | None
    pictures: Tensor  # (n, 3, h, w) uint8, each once
    places: Tensor  # (b,): which of them each run is about
    labels: Labels  # (b,)
    terms: Terms
    version: str  # of who asks

    @classmethod
    def of(cls, part: Part, terms: Terms) -> "Order":
        chosen = sorted({run.index for run in part.runs})
        places = torch.tensor([chosen.index(run.index) for run in part.runs])
        pictures = part.subject.levels[chosen]
        return cls(part.attack, part.subject.defence, pictures, places, part.labels.cpu(), terms, version())


class Cluster:
    """The workers of a Dask scheduler as an Engine; to be closed."""

    def __init__(self, address: str, device: str = "auto") -> None:
        """`address`: dask://HOST:PORT; `device`: what each worker computes on, "auto" is its best.

        Raises ValueError with one sentence if dask.distributed is not installed, and if nobody answers.
        """
        host, _, port = address.removeprefix(SCHEME).rpartition(":")
        if not address.startswith(SCHEME) or not host or not port.isdecimal():
            raise ValueError(f"An engine is local or {SCHEME}HOST:PORT, such as {SCHEME}localhost:8786; got {address}.")
        if importlib.util.find_spec("distributed") is None:
            raise ValueError(f"{address} needs dask.distributed, which is not installed: {INSTALL}")
        self.address, self._device = address, device
        try:
            self._client = _dask().Client(f"tcp://{host}:{port}", timeout=CONNECT, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise ValueError(f"No Dask scheduler answers at {address}: `dask scheduler` starts one.") from error
        self._id = uuid4().hex  # two clients that ask for the same at once are told apart
        self._contents: dict[nn.Module, str] = {}  # fingerprints
        self._networks: dict[str, Any] = {}  # futures, by the network's content
        self._running: dict[Any, Part] = {}  # futures and their parts
        self._done: Queue[Any] = Queue()  # futures
        self._known, self._asked = 0, -LOOK  # threads of all workers, and when that was asked

    def close(self) -> None:
        """Let go of what is not done, and of the cluster."""
        with suppress(Exception):  # it may be gone already
            self._let_go(self._running)
        self._client.close()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do_one(self, parts: Sequence[Part], terms: Terms, on_step: OnStep | None) -> Found | None:
        """See Engine. Raises ValueError with one sentence where a worker cannot do its part, and if all are lost."""
        since, ours = time.monotonic(), {*map(id, parts)}
        with self._answers():
            self._let_go(future for future, part in self._running.items() if id(part) not in ours)
            while True:
                threads = self._threads()
                since = time.monotonic() if threads else since
                if time.monotonic() - since > WITHOUT:
                    raise ValueError(f"{self.address} has no worker left: `dask worker` starts one; the rest waits.")
                if on_step is not None and on_step(_waiting()):
                    self._let_go(self._running)
                    return None
                self._ask_for(parts, AHEAD * threads, terms)
                if (done := self._next_done()) is not None:
                    return self._running.pop(done), self._result(done)

    def _threads(self) -> int:
        """Of all workers: the scheduler is asked now and then."""
        if time.monotonic() > self._asked + LOOK:
            self._known, self._asked = sum(self._client.nthreads().values()), time.monotonic()
        return self._known

    def _let_go(self, futures: Iterable[Any]) -> None:
        if not (futures := [*futures]):
            return
        self._client.cancel(futures)
        for future in futures:
            del self._running[future]

    def _ask_for(self, parts: Sequence[Part], most: int, terms: Terms) -> None:
        asked = {*map(id, self._running.values())}
        waiting = (part for part in parts if id(part) not in asked)
        while len(self._running) < most and (part := next(waiting, None)) is not None:
            order = Order.of(part, terms)
            future = self._client.submit(do, self._network(part.subject), order, self._device, key=self._key("part"))
            self._running[future] = part
            future.add_done_callback(self._done.put)

    def _network(self, subject: Subject) -> Any:
        """The future of a network, which is put on its way when it is asked for first. It is a result like any other:
        where the worker that holds it is lost, the scheduler gives it to another one.
        """
        if subject.network not in self._contents:
            self._contents[subject.network] = network_sha256(subject.network)
        content = self._contents[subject.network]
        if content not in self._networks:
            sent = _sent(subject.name, subject.network, content)
            self._networks[content] = self._client.submit(_kept, sent, key=self._key("network"))
        return self._networks[content]

    def _key(self, what: str) -> str:
        return f"explorer-{what}-{self._id}-{uuid4().hex}"

    def _next_done(self) -> Any:
        """A future that is done; None if none was for a moment."""
        with suppress(Empty):
            done = self._done.get(timeout=LOOK)
            return done if done in self._running else None
        return None

    def _result(self, future: Any) -> list[dict[str, Any]]:
        try:
            return future.result()
        except _dask().KilledWorker as error:
            raise ValueError(
                f"A part was lost with every worker of {self.address} that began it, so the study goes no further."
            ) from error

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """What goes wrong with the cluster as one sentence."""
        try:
            yield
        except ValueError:
            raise
        except Exception as error:  # what a worker raises, it raises here
            gone = isinstance(error, OSError | TimeoutError | CancelledError)  # of which Dask's CommClosedError is one
            if gone or self._client.status != "running":
                raise ValueError(
                    f"{self.address} answers no more; what was done is kept, and the rest waits."
                ) from error
            raise ValueError(f"A worker of {self.address} failed: {user_code.described(error, 300)}") from error


def do(sent: Sent, order: Order, device: str) -> list[dict[str, Any]]:
    """A part, on a worker. Raises ValueError with one sentence that names the worker."""
    worker = f"The worker {_dask().get_worker().address}"
    if order.version != version():
        raise ValueError(f"{worker} has another version of this program or of torch: {version()}, not {order.version}.")
    device = best_device() if device == "auto" else device
    try:
        network = _loaded(sent, device)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{worker} cannot have {sent.name}: {error}") from error
    attacked = network if order.defence is None else Defended(network, order.defence)
    images = from_levels(order.pictures)[order.places].to(device)
    with exclusive(network):  # other threads of this worker have it as well, whatever is in front of it
        found = measured(attacked, images, order.labels.to(device), order.attack, order.terms)
    assert found is not None, "nobody asked to stop"
    return found


@lru_cache(maxsize=KEPT)
def _loaded(sent: Sent, device: str) -> nn.Module:
    """The network, the same as the one that was sent."""
    if user_code.is_code(sent.name):
        network = load_python(sent.name, device)
    elif sent.description is not None:
        network = load_by_description(sent.weights, json.loads(sent.description), sent.name).to(device)
    elif sent.weights is not None:
        network = _built(sent).to(device)
    else:
        network = load_classifier(sent.name, device=device)
    if network_sha256(network) != sent.sha256:
        raise ValueError("what it has by this name is another network.")
    return network


def _built(sent: Sent) -> Classifier:
    """A classifier of torchvision's from its architecture and the weights."""
    card = find_card(sent.name)
    network = fold_batch_norm(card.build().eval())
    numbers = {"mean": [0.0] * 3, "std": [1.0] * 3}  # the weights bring them
    known = {"name": sent.name, "class_names": (), "input_size": card.input_size, "dataset": card.dataset}
    clf = Classifier(network, **known, **numbers)
    clf.load_state_dict(load(sent.weights), assign=True)
    return clf.requires_grad_(False)


def _sent(name: str, network: nn.Module, sha256: str) -> Sent:
    if user_code.is_code(name):
        return Sent(name, sha256)
    card = find_card(name)
    if card.source == "bundled":
        return Sent(name, sha256)
    if card.source == "own":
        weights, description = card.files
        return Sent(name, sha256, Path(weights).read_bytes(), Path(description).read_text(encoding="utf-8"))
    state = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in network.state_dict().items()}
    return Sent(name, sha256, save(state))


def _dask() -> ModuleType:
    """The library, which nothing else needs."""
    return importlib.import_module("distributed")


def _kept(sent: Sent) -> Sent:
    return sent


def _waiting() -> Step:
    nothing = torch.zeros(0)
    return Step("optimised", 0, 1, nothing.long(), nothing)
