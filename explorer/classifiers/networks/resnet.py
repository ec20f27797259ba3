"""Residual networks for small images (arXiv 1512.03385, section 4.2)."""

from collections.abc import Callable, Sequence

from torch import nn

from explorer.classifiers.networks.head import Head
from explorer.types import Images, Logits


class Block(nn.Module):
    """Two 3x3 convolutions around which the input is carried; a 1x1 convolution carries it where the shape changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        same = stride == 1 and before == after
        carry = (nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.shortcut = nn.Identity() if same else nn.Sequential(*carry)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def in_stages(
    block: Callable[[int, int, int], nn.Module],
    before: int,
    widths: Sequence[int],
    blocks: Sequence[int],
    strides: Sequence[int],
) -> nn.Sequential:
    """So many blocks of each width, made of (channels before, channels after, stride); each stage starts with its
    stride. `before`: channels of what comes in.
    """
    stages: list[nn.Module] = []
    for width, count, stride in zip(widths, blocks, strides, strict=True):
        for number in range(count):
            stages.append(block(before, width, 1 if number else stride))
            before = width
    return nn.Sequential(*stages)


class ResNet(nn.Module):
    """A stem, then stages of blocks; each stage starts with its stride.

    ResNet-20 for CIFAR-10 is the default. Any input size will do.
    """

    def __init__(
        self,
        classes: int,
        stem: int = 16,
        stem_stride: int = 1,
        widths: Sequence[int] = (16, 32, 64),
        blocks: Sequence[int] = (3, 3, 3),
        strides: Sequence[int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, stem_stride, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        self.stages = in_stages(Block, stem, widths, blocks, strides)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = Head(widths[-1], classes)

    def forward(self, x: Images) -> Logits:
        return self.head(self.pool(self.stages(self.stem(x))).flatten(1))
