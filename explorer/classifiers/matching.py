"""The tensors of a file as those of an architecture: the same names, or names that can be told to mean the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.classifiers.imagenet import AUXILIARY
from explorer.classifiers.layouts import plain_shortcuts, resnet_names
from explorer.classifiers.networks.resnet import ResNet

NAMED = 3  # names that a sentence gives at most
MAX_PREFIX = 8  # parts of a name that may stand before all names


@dataclass(frozen=True)
class Match:
    """What fits an architecture, and what had to be done to it."""

    tensors: dict[str, Tensor]  # all that the architecture has, by its names
    remark: str  # a sentence or more; "" where nothing was done


@dataclass(frozen=True)
class _Reading:
    """One way to read the names of a file."""

    tensors: dict[str, Tensor]
    remarks: tuple[str, ...] = ()


def match(found: Mapping[str, Tensor], network: nn.Module) -> Match:
    """The tensors that `network` has, out of those that were `found` in a file.

    A prefix that all names share may stand before them, a small residual network may have the names of torchvision's
    layers, heads that only training uses may be there or not, and counters that nothing reads may be missing. Raises
    ValueError with one sentence, a readable report, if they do not fit, or if any is NaN or infinite.
    """
    expected = network.state_dict()
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    needed = expected.keys() - counters
    readings = [_without_auxiliary(reading, network) for reading in _readings(found, network)]
    best = min(readings, key=lambda reading: len(needed ^ (reading.tensors.keys() - counters)))  # the first of several
    _fits(best, {name: expected[name] for name in expected if name in needed or name in best.tensors})
    broken = [name for name, tensor in best.tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ValueError(f"{_some(broken)} {'hold' if len(broken) > 1 else 'holds'} NaN or infinity.")
    zeros = {name: torch.zeros((), dtype=torch.int64) for name in counters}
    return Match(zeros | best.tensors, " ".join(best.remarks))


def _readings(found: Mapping[str, Tensor], network: nn.Module) -> Iterator[_Reading]:
    """As they are, without what stands before all of them, and each of these by the names of a known layout."""
    layouts: list[Callable[[_Reading], _Reading]] = [lambda reading: reading]
    if isinstance(network, ResNet):
        layouts.append(lambda reading: _as_resnet(reading, network))
    for layout in layouts:
        yield layout(_Reading(dict(found)))
        for prefix in _shared_prefixes(list(found)):
            shorter = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
            yield layout(_Reading(shorter, (f'"{prefix[:80]}" was left out before all {len(found):,} names.',)))


def _shared_prefixes(names: list[str]) -> Iterator[str]:
    """module., module.model., …: whole parts that all names begin with."""
    parts = names[0].split(".")[:-1] if names else []
    for n in range(1, min(len(parts), MAX_PREFIX) + 1):
        prefix = ".".join(parts[:n]) + "."
        if not all(name.startswith(prefix) for name in names):
            return
        yield prefix


def _as_resnet(reading: _Reading, network: ResNet) -> _Reading:
    names = resnet_names(reading.tensors)
    tensors = {names[name]: tensor for name, tensor in reading.tensors.items()}
    remark = "The layers' names (layer1.0.conv1, …) were taken for those of the same layers here"
    made = plain_shortcuts(network, tensors)
    if made:
        remark += ", and its shortcuts, which have no weights, were written as convolutions that change nothing"
    return _Reading(tensors | made, (*reading.remarks, f"{remark}."))


def _without_auxiliary(reading: _Reading, network: nn.Module) -> _Reading:
    """Those of heads that `network` goes without are left out."""
    heads = {name for name in AUXILIARY if hasattr(network, name)}
    tensors = {name: tensor for name, tensor in reading.tensors.items() if name.partition(".")[0] not in heads}
    if len(tensors) == len(reading.tensors):
        return reading
    return _Reading(tensors, (*reading.remarks, "The auxiliary heads, which only training uses, were left out."))


def _fits(reading: _Reading, expected: Mapping[str, Tensor]) -> None:
    """A readable report of everything that does not fit, as one sentence."""
    found = reading.tensors
    missing = [name for name in expected if name not in found]
    strange = [name[:80] for name in found if name not in expected]
    wrong = [
        f"{name} is {_told(found[name])} instead of {_told(tensor)}"
        for name, tensor in expected.items()
        if name in found and _told(found[name]) != _told(tensor)
    ]
    report = [
        f"{len(names):,} {what} ({_some(names)})"
        for what, names in (("missing", missing), ("unexpected", strange), ("of another shape or type", wrong))
        if names
    ]
    if report:
        raise ValueError(f"The tensors do not fit the architecture: {'; '.join(report)}.")


def _told(tensor: Tensor) -> str:
    """What must be the same, to be read: "float [3, 3]"."""
    return f"{'float' if tensor.is_floating_point() else 'integer'} {list(tensor.shape)[:8]}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
