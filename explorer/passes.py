"""What an attack asks of a network: pictures that went through it, forwards and backwards."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer.types import Images, Logits


class Counted(nn.Module):
    """A network that answers as before, and counts. Not for CUDA, which replays what was recorded: only the recording
    would be counted.
    """

    def __init__(self, network: Callable) -> None:
        super().__init__()
        self.network = network
        self.forward_passes, self.backward_passes = 0, 0  # of one picture each
        self.training = getattr(network, "training", False)  # its modules stay in the mode that they are in

    def forward(self, images: Images) -> Logits:
        """See Network."""
        self.forward_passes += len(images)
        logits = self.network(images)
        if torch.is_tensor(logits) and logits.requires_grad:
            logits.register_hook(self._on_gradient)
        return logits

    def _on_gradient(self, gradient: Tensor) -> None:
        self.backward_passes += len(gradient)
