"""What other programs call the same layers: names of tensors, and what has to be made where they store less."""

import re
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from explorer.classifiers.networks.resnet import Block, ResNet

_BLOCK = re.compile(r"layer(\d{1,3})\.(\d{1,3})\.(.+)\.(\w+)")
_IN_BLOCK = {
    "conv1": "body.0",
    "bn1": "body.1",
    "conv2": "body.3",
    "bn2": "body.4",
    **{f"{name}.{part}": f"shortcut.{part}" for name in ("shortcut", "downsample") for part in (0, 1)},
}
_UNIT = re.compile(r"features\.stage(\d{1,3})\.unit(\d{1,3})\.(.+)\.(\w+)")  # of pytorchcv
_IN_UNIT = {
    **{f"body.conv{n}.{part}": f"body.{3 * (n - 1) + i}" for n in (1, 2) for i, part in enumerate(("conv", "bn"))},
    **{f"identity_conv.{part}": f"shortcut.{i}" for i, part in enumerate(("conv", "bn"))},
}
_AROUND = {"conv1": "stem.0", "bn1": "stem.1", "linear": "head", "fc": "head"}
_AROUND |= {"features.init_block.conv": "stem.0", "features.init_block.bn": "stem.1", "output": "head"}


def resnet_names(names: Iterable[str]) -> dict[str, str]:
    """Our names of a small residual network's tensors by those that others give them: torchvision, and the ResNet-20
    of akamaster/pytorch_resnet_cifar10 (conv1, bn1, layer1.0.conv1, …, linear or fc), and pytorchcv
    (features.init_block.conv, features.stage1.unit1.body.conv1.conv, …, output). Others stay as they are.
    """
    blocks = {name: match for name in names if (match := _BLOCK.fullmatch(name) or _UNIT.fullmatch(name))}
    places = sorted({(int(match[1]), int(match[2])) for match in blocks.values()})
    inside = _IN_BLOCK | _IN_UNIT
    ours = {}
    for name in names:
        if match := blocks.get(name):
            place = places.index((int(match[1]), int(match[2])))
            ours[name] = f"stages.{place}.{inside.get(match[3], match[3])}.{match[4]}"
        else:
            layer, _, what = name.rpartition(".")
            ours[name] = f"{_AROUND.get(layer, layer)}.{what}" if layer else name
    return ours


def plain_shortcuts(network: ResNet, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights for the shortcuts that a file has none for, because they do not compute: where the shape changes, every
    second pixel goes on, with as many empty channels before as after (arXiv 1512.03385, shortcuts A). As a 1x1
    convolution and a normalisation that changes nothing.
    """
    made = {}
    for place, block in enumerate(network.stages):
        prefix = f"stages.{place}.shortcut."
        if not isinstance(block, Block) or isinstance(block.shortcut, nn.Identity):
            continue
        conv, norm = block.shortcut
        after, before = conv.weight.shape[:2]
        if any(name.startswith(prefix) for name in tensors) or after < before:
            continue
        weight = torch.zeros(conv.weight.shape)
        first = (after - before) // 2
        weight[range(first, first + before), range(before)] = 1
        made[f"{prefix}0.weight"] = weight
        made |= {f"{prefix}1.weight": torch.ones(after), f"{prefix}1.running_var": torch.full((after,), 1 - norm.eps)}
        made |= {f"{prefix}1.{name}": torch.zeros(after) for name in ("bias", "running_mean")}
    return made
