"""Which kernels torch convolves with on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from explorer.types import Images

LONE = 20_480  # floats


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
    onednn, before = torch.backends.mkldnn, torch.backends.mkldnn.enabled
    onednn.enabled = False
    try:
        with torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        onednn.enabled = before
