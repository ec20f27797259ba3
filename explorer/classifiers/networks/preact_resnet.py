"""Residual networks whose blocks begin with the non-linearity (arXiv 1603.05027), and a smooth one: softplus."""

from collections.abc import Sequence

from torch import nn

from explorer.classifiers.networks.head import Head
from explorer.classifiers.networks.resnet import in_stages
from explorer.types import Images, Logits


class PreActBlock(nn.Module):
    """Normalisation and non-linearity before each of two 3x3 convolutions; the sum of both ways is left as it is.

    A 1x1 convolution carries the input, normalised, where the shape changes.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.BatchNorm2d(before), nn.Softplus())
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.Softplus(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
        )
        self.shortcut = None if stride == 1 and before == after else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x):
        entered = self.enter(x)
        return self.body(entered) + (x if self.shortcut is None else self.shortcut(entered))


class PreActResNet(nn.Module):
    """A stem without a non-linearity, then stages of blocks; each stage starts with its stride.

    The loss has a slope everywhere that changes smoothly, which a training against sparse attacks in one step needs
    (arXiv 2502.21041). Any input size will do.
    """

    def __init__(
        self,
        classes: int,
        stem: int = 16,
        stem_stride: int = 1,
        widths: Sequence[int] = (16, 32, 64),
        blocks: Sequence[int] = (2, 2, 2),
        strides: Sequence[int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, stem, 3, stem_stride, 1, bias=False)
        self.stages = in_stages(PreActBlock, stem, widths, blocks, strides)
        self.leave = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.Softplus())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = Head(widths[-1], classes)

    def forward(self, x: Images) -> Logits:
        return self.head(self.pool(self.leave(self.stages(self.stem(x)))).flatten(1))
