"""Batch normalisation put into the convolution before it: the same function, in fewer steps."""

from collections import Counter

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Put every batch normalisation that only a convolution feeds, and that alone uses it, into that convolution.

    Changes `network`, which must be in evaluation mode, and returns it. Its modules keep their places and names, so
    that attribution methods find them; only the normalisations become identities.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                if isinstance(module[i], nn.Conv2d) and isinstance(module[i + 1], nn.BatchNorm2d):
                    module[i] = fuse_conv_bn_eval(module[i], module[i + 1])
                    module[i + 1] = nn.Identity()
    for conv, norm in _pairs(network):
        fused = fuse_conv_bn_eval(network.get_submodule(conv), network.get_submodule(norm))
        network.set_submodule(conv, fused)
        network.set_submodule(norm, nn.Identity())
    return network


def _pairs(network: nn.Module) -> list[tuple[str, str]]:
    """Names of the other convolutions and their normalisations, by following the calls; none if that cannot be done."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return []
    try:
        graph = torch.fx.symbolic_trace(network).graph
    except Exception:  # a network whose course depends on its input: it stays as it is
        return []
    calls = [node for node in graph.nodes if node.op == "call_module"]
    times, pairs = Counter(node.target for node in calls), []
    for node in calls:
        if not isinstance(network.get_submodule(node.target), nn.BatchNorm2d):
            continue
        before = node.args[0]
        if (
            before.op == "call_module"
            and isinstance(network.get_submodule(before.target), nn.Conv2d)
            and len(before.users) == times[before.target] == times[node.target] == 1
        ):
            pairs.append((before.target, node.target))
    return pairs
