"""Which kernels torch convolves with on a CPU."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from explorer.types import Images

LONE = 20_480  # floats


_guard = threading.Lock()
_users, _before = 0, (True, True)  # the settings belong to the process: the first sets them, the last puts them back


@contextmanager
def as_if_alone(images: Images) -> Iterator[None]:
    """Convolve a batch (b, 3, h, w) as torch convolves each image alone: slower, and the same to the last bit.

    On a CPU, torch hands a convolution to oneDNN or NNPACK if its input is a batch, or one image of more than LONE
    floats. Their results differ in the seventh digit, which the signs of the dense start and the threshold turn into
    other pixels.
    """
    if images.device.type != "cpu" or images[0].numel() > LONE:
        yield
        return
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _users, _before
    with _guard:
        if not _users:
            _before = torch.backends.mkldnn.enabled, torch._C._get_nnpack_enabled()
        _users += change
        onednn, nnpack = (False, False) if _users else _before
        torch.backends.mkldnn.enabled = onednn
        torch.backends.nnpack.set_flags(nnpack)
