"""A network while it is worked with: in evaluation mode, its weights frozen, and afterwards as it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(network: Callable) -> Iterator[bool]:
    """Inside, no statistics are updated and no gradient of a weight is computed; afterwards, also after an error, every
    mode is what it was. Yields whether any part of the network was in training mode.
    """
    modules = [*network.modules()] if isinstance(network, nn.Module) else []
    weights = [weight for weight in (network.parameters() if modules else ()) if weight.requires_grad]
    training = [module for module in modules if module.training]
    for module in training:  # not by .eval(), which exported networks refuse, and others override
        module.training = False
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield bool(training)
    finally:
        for module in training:
            module.training = True
        for weight in weights:
            weight.requires_grad_(True)
