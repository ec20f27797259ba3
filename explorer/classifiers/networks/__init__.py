"""The architectures, written out plainly: no in-place operations, a module of its own for every use of a
non-linearity, so that hooks of attribution methods see each of them.
"""

from collections.abc import Callable

from torch import nn

from explorer.classifiers.networks.mobilenet import mobilenet
from explorer.classifiers.networks.preact_resnet import PreActResNet
from explorer.classifiers.networks.resnet import ResNet
from explorer.classifiers.networks.vgg import VGG
from explorer.classifiers.networks.vit import ViT

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mobilenet": mobilenet,
    "preact_resnet": PreActResNet,
    "resnet": ResNet,
    "vgg": VGG,
    "vit": ViT,
}
