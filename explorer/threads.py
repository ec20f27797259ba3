"""How many threads torch computes with. The environment says it before torch is loaded (see app.py); a batch, whose
pictures are shared out among the threads, may take more than a lone picture.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

ALONE = torch.get_num_threads()  # as this process was started with
TOGETHER = max(ALONE, min(os.cpu_count() or 1, 2 * ALONE))


@contextmanager
def threads_for(pictures: int, device: torch.device) -> Iterator[None]:
    """Inside, this thread computes with as many threads as suit so many pictures."""
    wide = device.type == "cpu" and pictures > 1 and TOGETHER > ALONE
    if wide:
        torch.set_num_threads(TOGETHER)
    try:
        yield
    finally:
        if wide:
            torch.set_num_threads(ALONE)
