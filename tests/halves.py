"""A tiny network whose answers are known by counting: it sees the brighter half of a picture of 6 x 6 pixels."""

import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.images import from_uint8
from explorer.types import Image

SIDE = 6
NAMES = ("Top", "Bottom")


class Halves(nn.Module):
    """The sum of the upper half less that of the lower one, and the reverse."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.cat([torch.ones(SIDE // 2 * SIDE), -torch.ones(SIDE // 2 * SIDE)]).repeat(3)
        self.register_buffer("weight", torch.stack([weight, -weight]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weight.T


def halves(name: str = "halves", names: tuple[str, ...] = NAMES) -> Classifier:
    return Classifier(
        Halves(), name=name, class_names=names, input_size=(SIDE, SIDE), dataset="custom", mean=[0.0] * 3, std=[1.0] * 3
    )


def picture(more: int, row: int = 0, col: int = 0) -> Image:
    """Grey, one pixel brighter by so many levels: the network sees the half of that pixel."""
    pixels = torch.full((SIDE, SIDE, 3), 100, dtype=torch.uint8)
    pixels[row, col] += more
    return from_uint8(pixels.numpy())
