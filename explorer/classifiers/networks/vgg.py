"""Plain convolutional networks after VGG (arXiv 1409.1556), with batch normalisation."""

from collections.abc import Sequence

from torch import nn

from explorer.classifiers.networks.head import Head
from explorer.types import Images, Logits


class VGG(nn.Module):
    """Stages of 3x3 convolutions, a maximum pooling after each, averaged into one linear layer.

    `widths` names the channels of each convolution, stage by stage. Any input size that the poolings divide will do.
    """

    def __init__(
        self,
        classes: int,
        widths: Sequence[Sequence[int]] = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512)),
        stem_stride: int = 1,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, stride = 3, stem_stride
        for stage in widths:
            for width in stage:
                layers += [nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                before, stride = width, 1
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = Head(before, classes)

    def forward(self, x: Images) -> Logits:
        return self.head(self.pool(self.features(x)).flatten(1))
