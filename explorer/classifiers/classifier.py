"""A classifier: a network with its normalisation inside, and what its numbers mean."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from explorer.types import Images, Logits


class Classifier(nn.Module):
    """(b, 3, h, w) RGB in [0, 1] -> logits (b, k). In evaluation mode and frozen; follows the input's device only if
    moved there with .to().
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str,
        class_names: Sequence[str],
        input_size: tuple[int, int],
        dataset: str,
        mean: Sequence[float],
        std: Sequence[float],
        remark: str = "",
        mapped: Sequence[Any] = (),
        recordable: bool = False,
    ) -> None:
        """`input_size` is (h, w); `dataset` a key of explorer.samples.DATA_SETS, or CUSTOM; `mean` and `std` are those
        of the pictures that the network was trained on, per channel, in [0, 1] units. `remark`: what whoever brought
        the weights should know of how they were read, in a sentence or more; `mapped`: the same, tensor by tensor, see
        explorer.classifiers.matching.Mapped; `recordable`: see explorer.recording.
        """
        super().__init__()
        self.network = network
        self.name = name
        self.class_names = list(class_names)
        self.input_size = tuple(input_size)
        self.dataset = dataset
        self.remark = remark
        self.mapped = tuple(mapped)
        self.recordable = recordable
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        return self.mean.device

    def forward(self, images: Images) -> Logits:
        return self.network((images - self.mean) / self.std)
