"""Exact arithmetic: float32 means float32 while attacks, reversals and evidence run, on every device.

By default cuDNN convolves in TF32, which changes margins in the third digit and with the size of the batch; a process
may also have allowed bfloat16 in matrix products. These settings belong to the process, so they are counted: the first
who needs exactness sets them, the last one puts back what was there.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import torch

_guard = threading.Lock()
_users = 0
_before: list[Callable[[], None]] = []  # each puts one setting back


@contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """No TF32, no reduced-precision products, no autocast, and the same cuDNN algorithm every time.

    Afterwards, also after an error and with several threads at once, the process's settings are what they were.
    """
    _enter()
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        _leave()


def _enter() -> None:
    global _users
    with _guard:
        if not _users:
            readable = []
            for read, write, exact in _settings():
                with suppress(RuntimeError):  # of the older ones, where the process has used the newer
                    readable.append((write, read(), exact))
            _before[:] = [partial(write, value) for write, value, _ in readable]
            for write, _, exact in readable:
                write(exact)
        _users += 1


def _leave() -> None:
    global _users
    with _guard:
        _users -= 1
        if not _users:
            for put_back in _before:  # in the order of the settings: the older ones set newer ones as well
                put_back()


def _settings() -> list[tuple[Callable[[], Any], Callable[[Any], None], Any]]:
    """How each is read and set, and its exact value. torch has two generations of them and refuses to mix the two: the
    older ones are set first, where they can be read at all.
    """
    cudnn, cuda, onednn = torch.backends.cudnn, torch.backends.cuda, torch.backends.mkldnn
    precise = [cudnn.conv, cudnn.rnn, cuda.matmul, onednn.conv, onednn.rnn, onednn.matmul]
    attributes = [(cudnn, "allow_tf32", False), *((backend, "fp32_precision", "ieee") for backend in precise)]
    attributes += [(cudnn, "benchmark", False), (cudnn, "deterministic", True)]
    return [
        (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
        *((partial(getattr, owner, name), partial(setattr, owner, name), value) for owner, name, value in attributes),
    ]
