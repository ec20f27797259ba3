"""MobileNetV2 (arXiv 1801.04381) for small images: torchvision's, without the halvings that are made for large ones."""

from collections.abc import Sequence

from torch import nn
from torchvision.models import MobileNetV2

_STAGES = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenet(classes: int, width: float = 1.0, stages: Sequence[Sequence[int]] = _STAGES) -> MobileNetV2:
    """A stem that keeps the resolution, then for each of the `stages` (expansion, channels, repetitions, stride) its
    inverted residual blocks; all channels are multiplied by `width`.
    """
    network = MobileNetV2(classes, width, [list(stage) for stage in stages], dropout=0.0)
    network.features[0][0].stride = (1, 1)
    for module in network.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = False
    return network
