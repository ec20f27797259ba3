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
CONTAINERS = ("state_dict.", "model_state_dict.", "model_state.", "model.", "net.", "network.", "ema.")  # of weights


@dataclass(frozen=True)
class Mapped:
    """One tensor of a file, and what became of it."""

    theirs: str  # its name in the file; "" for what was made, as the file has none
    ours: str  # its name in the architecture; "" for what was left out
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Match:
    """What fits an architecture, and what had to be done to it."""

    tensors: dict[str, Tensor]  # all that the architecture has, by its names
    remark: str  # a sentence or more; "" where nothing was done
    mapped: tuple[Mapped, ...]  # in the architecture's order, then what was left out


@dataclass(frozen=True)
class _Reading:
    """One way to read the names of a file."""

    tensors: dict[str, Tensor]
    theirs: dict[str, str]  # names in the file by the names of `tensors`; none of what was made
    remarks: tuple[str, ...] = ()

    def renamed(self, names: Mapping[str, str], remark: str) -> "_Reading":
        """Those of `names` alone, by the new names."""
        return _Reading(
            {new: self.tensors[old] for old, new in names.items()},
            {new: self.theirs[old] for old, new in names.items() if old in self.theirs},
            (*self.remarks, remark),
        )


def match(found: Mapping[str, Tensor], network: nn.Module) -> Match:
    """The tensors that `network` has, out of those that were `found` in a file.

    A prefix that all names share may stand before them; the weights may lie inside a larger checkpoint, whose other
    tensors are left out; a small residual network may have the names of other libraries' layers, heads that only
    training uses may be there or not, and counters that nothing reads may be missing. Raises
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
    return Match(zeros | best.tensors, " ".join(best.remarks), _mapped(best, found, list(expected)))


def _mapped(reading: _Reading, found: Mapping[str, Tensor], order: list[str]) -> tuple[Mapped, ...]:
    here = [name for name in order if name in reading.tensors]
    known = [Mapped(reading.theirs.get(name, ""), name, tuple(reading.tensors[name].shape)) for name in here]
    read = {*reading.theirs.values()}
    return (*known, *(Mapped(name, "", tuple(each.shape)) for name, each in found.items() if name not in read))


def _readings(found: Mapping[str, Tensor], network: nn.Module) -> Iterator[_Reading]:
    """As they are, without what stands before all of them, and each of these by the names of a known layout; then the
    same of what lies inside a checkpoint.
    """
    layouts: list[Callable[[_Reading], _Reading]] = [lambda reading: reading]
    if isinstance(network, ResNet):
        layouts.append(lambda reading: _as_resnet(reading, network))
    whole = _Reading(dict(found), {name: name for name in found})
    for layout in layouts:
        for reading in (whole, *_inside(whole)):
            yield layout(reading)
            for prefix in _shared_prefixes(list(reading.tensors)):
                shorter = {name: name.removeprefix(prefix) for name in reading.tensors}
                told = f'"{prefix[:80]}" was left out before all {len(shorter):,} names.'
                yield layout(reading.renamed(shorter, told))


def _inside(whole: _Reading) -> Iterator[_Reading]:
    """What lies in each of CONTAINERS beside other things, which are left out."""
    for container in CONTAINERS:
        names = {name: name.removeprefix(container) for name in whole.tensors if name.startswith(container)}
        others = len(whole.tensors) - len(names)
        if names and others:
            told = f'Of a checkpoint, "{container}" was read; {others:,} other tensors of the file were left out.'
            yield whole.renamed(names, told)


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
    if len({*names.values()}) < len(names):
        return reading  # two tensors claim one place: this is another layout
    example = next((name for name, ours in names.items() if ours == "stem.0.weight"), "…")
    remark = f"The layers' names ({example} for stem.0.weight, …) were taken for those of the same layers here"
    read = reading.renamed(names, "")
    made = plain_shortcuts(network, read.tensors)
    if made:
        remark += ", and its shortcuts, which have no weights, were written as convolutions that change nothing"
    return _Reading(read.tensors | made, read.theirs, (*reading.remarks, f"{remark}."))


def _without_auxiliary(reading: _Reading, network: nn.Module) -> _Reading:
    """Those of heads that `network` goes without are left out."""
    heads = {name for name in AUXILIARY if hasattr(network, name)}
    kept = {name: name for name in reading.tensors if name.partition(".")[0] not in heads}
    if len(kept) == len(reading.tensors):
        return reading
    return reading.renamed(kept, "The auxiliary heads, which only training uses, were left out.")


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
