"""A person's own network from Python: FILE.py:FUNCTION returns a torch module, or any function of pictures.

It may carry `class_names` (a list, a dict by index, or the name of a data set) and `input_size` = (height, width).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import torch
from torch import nn

from explorer import user_code
from explorer.adapter import Adapted, adapted
from explorer.classifiers.class_names import checked
from explorer.classifiers.classifier import Classifier
from explorer.memory import is_shortage
from explorer.samples import CUSTOM, DATA_SETS, data_set_of


def load_python(named: str, device: str | torch.device = "cpu") -> Adapted:
    """What FILE.py:FUNCTION returns, behind the border, frozen, in evaluation mode and on its device; with its
    `class_names` and `input_size` where it carries them. Raises ValueError with one sentence.
    """
    network = user_code.call(named)
    if not callable(network):
        raise ValueError(
            f"{named} must return a torch module, or a function of pictures; got {type(network).__name__}."
        )
    with _told(named):
        return _wrapped(network, named, device)


@contextmanager
def _told(named: str) -> Iterator[None]:
    """A person's module may raise anything, also where it is only moved or looked at: one sentence, ValueError."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        if isinstance(error, RuntimeError | MemoryError) and is_shortage(error):
            raise
        raise ValueError(f"{named}: {user_code.described(error)}") from error


def _wrapped(network: Callable, named: str, device: str | torch.device) -> Adapted:
    if isinstance(network, nn.Module):
        network = network.to(device)
        for weight in network.parameters():  # scripted networks have no requires_grad_ of their own
            weight.requires_grad_(False)
    wrapped = Adapted(network, copies=True, one_by_one=False, guarded=True, origin=_origin(named))
    wrapped.eval()
    size = getattr(network, "input_size", None)
    if size is not None:
        wrapped.input_size = _size(size)
        fit_border(wrapped, wrapped.input_size)
    names = getattr(network, "class_names", None)
    if names is not None:
        wrapped.class_names = _names(names)
    return wrapped


def as_classifier(network: nn.Module, name: str, size: tuple[int, int]) -> Classifier:
    """The network with all that a Classifier knows. A person's own has its class_names and input_size where it carries
    them; otherwise its classes are numbered and it takes pictures of `size`. Raises ValueError with one sentence.
    """
    if isinstance(network, Classifier):
        return network
    size = tuple(getattr(network, "input_size", size))
    n_classes = count_classes(network, size)
    names = checked(list(getattr(network, "class_names", map(str, range(n_classes)))))
    if len(names) != n_classes:
        raise ValueError(f"The network carries {len(names)} class_names, but returns {n_classes} logits.")
    return Classifier(
        network,
        name=name,
        class_names=names,
        input_size=size,
        dataset=data_set_of(names),
        mean=[0.0] * 3,
        std=[1.0] * 3,
    ).to(device_of(network))


def fit_border(network: Adapted, size: tuple[int, int]) -> None:
    """Find out what the network needs of its border, with pictures of `size`. Raises ValueError with one sentence."""
    border = adapted(network, _blank(network, size))[0]
    network.one_by_one, network.dense = border.one_by_one, border.dense


def usual_size(network: nn.Module) -> tuple[int, int] | None:
    """The size of pictures that it says it takes, or that those of its data set have; None if neither tells."""
    if hasattr(network, "input_size"):
        return network.input_size
    dataset = data_set_of(getattr(network, "class_names", ()))
    return None if dataset == CUSTOM else DATA_SETS[dataset].input_size


def count_classes(network: nn.Module, size: tuple[int, int]) -> int:
    """How many logits it returns for a picture of `size` = (height, width). ValueError if it cannot take one."""
    return adapted(network, _blank(network, size))[1]


def device_of(network: nn.Module) -> torch.device:
    """Where its weights are."""
    return next((tensor.device for tensor in chain(network.parameters(), network.buffers())), torch.device("cpu"))


def _blank(network: nn.Module, size: tuple[int, int]) -> torch.Tensor:
    return torch.zeros(1, 3, *size, device=device_of(network))


def _origin(named: str) -> str:
    """The function's name and a fingerprint of its file: of a function that has no weights, nothing else tells."""
    file, _, function = named.rpartition(":")
    return f"{function} of {hashlib.sha256(Path(file).read_bytes()).hexdigest()}"


def _size(size: object) -> tuple[int, int]:
    """An input_size of (height, width), or of one number for both."""
    sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list | tuple) else ()
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"input_size must be (height, width), or one number for both; got {size!r}.")
    return sides


def _names(names: object) -> list[str]:
    """A list of class_names, a dict of them by index, or the name of the data set that they are those of."""
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ValueError(f"class_names must be a list, or a dict by 0 to {len(names) - 1}; got other keys.")
        names = [names[index] for index in range(len(names))]
    if isinstance(names, str) and names in DATA_SETS:
        return list(DATA_SETS[names].classes)
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ValueError(
            f"class_names must be a list of names, or one of {', '.join(DATA_SETS)}; got {type(names).__name__}."
        )
    return list(names)
