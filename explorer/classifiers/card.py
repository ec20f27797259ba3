"""What is known about a classifier before it is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from explorer.classifiers.classifier import Classifier
from explorer.classifiers.downloads import Download
from explorer.hashes import files_sha256

EVIDENCE_VALUES = 2**19  # floats of input that the evidence has in flight at once, in pictures ...
EVIDENCE_PICTURES = 4, 64  # ... at least and at most so many


@dataclass(frozen=True)
class Card:
    """What a person needs to know to choose a classifier."""

    name: str
    title: str
    dataset: str  # a key of explorer.samples.DATA_SETS, or CUSTOM
    architecture: str
    summary: str  # one sentence
    source: Literal["bundled", "torchvision", "own", "python"]
    input_size: tuple[int, int]  # h, w
    parameters: int
    load: Callable[[], Classifier]  # on the CPU
    build: Callable[[], nn.Module]  # the network alone, on the meta device: without any numbers
    accuracy: float | None = None  # share of unseen pictures; None: nobody has told
    robust_accuracy: float | None = None  # under PGD-20 within eps
    eps: float | None = None
    sparse_accuracy: float | None = None  # whichever sparse attack changes sparse_pixels
    sparse_pixels: int | None = None
    download: Download | None = None  # None: nothing has to be downloaded
    files: tuple[Path, ...] = ()  # that make it what it is, and may be replaced at any time: a person's own

    @property
    def content(self) -> str:
        """Fingerprint of what `files` hold now: another one is another network, whatever its name."""
        return files_sha256(self.files)

    @property
    def ones_own(self) -> bool:
        """Whether a person brought it along: it is neither bundled nor torchvision's."""
        return self.source in ("own", "python")

    @property
    def available(self) -> bool:
        """Whether it can be loaded at once, without a network connection."""
        return self.download is None or self.download.here

    @cached_property
    def attack_bytes(self) -> int:
        """About the memory that an attack on one picture with its evidence takes, beside the program's own: the
        weights, and what every layer keeps for the backward pass, of all pictures that are in flight at once.
        """
        kept = 0

        def note(module: nn.Module, _: tuple, output: object) -> None:
            nonlocal kept
            folded = isinstance(module, nn.modules.batchnorm._BatchNorm)
            if torch.is_tensor(output) and not any(module.children()) and not folded:
                kept += output.numel()

        network = self.build().eval()
        for module in network.modules():
            module.register_forward_hook(note)
        height, width = self.input_size
        with torch.no_grad():
            network(torch.empty(1, 3, height, width, device="meta"))
        fewest, most = EVIDENCE_PICTURES
        in_flight = max(fewest, min(most, EVIDENCE_VALUES // (3 * height * width)))
        return 4 * (self.parameters + 2 * in_flight * kept)
