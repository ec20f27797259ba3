"""Attributions by Captum: how the change of each pixel moves a class's centred logit.

Each method is a function (network, image, adversarial, class_index) -> (h, w): the pixel's signed share of the change
of Z_k = z_k - mean_j z_j on the way from `image` to `adversarial`, both (3, h, w). Raw values in logits; figures scale.
"""

import torch
from captum.attr import InputXGradient, IntegratedGradients
from torch import Tensor

from explorer.types import Image, Images, Logits, Network

IG_STEPS = 32
IG_BATCH = 32  # points of the path per forward and backward pass, so that memory stays bounded


def centred(logits: Logits) -> Logits:
    """Z_k = z_k - mean_j z_j: what a softmax sees of the logits."""
    return logits - logits.mean(1, keepdim=True)


class _OfChange(torch.nn.Module):
    """Centred logits as a function of the change to an image; a module, because Captum hooks modules."""

    def __init__(self, network: Network, image: Image) -> None:
        super().__init__()
        self.network, self.image = network, image

    def forward(self, change: Images) -> Logits:
        return centred(self.network(self.image + change))


def integrated_gradients(network: Network, image: Image, adversarial: Image, class_index: int) -> Tensor:
    """Integrated gradients from the clean to the adversarial image (arXiv 1703.01365); the shares sum to the change."""
    shares = IntegratedGradients(_OfChange(network, image)).attribute(
        (adversarial - image)[None].requires_grad_(), target=class_index, n_steps=IG_STEPS, internal_batch_size=IG_BATCH
    )
    return shares.detach()[0].sum(0)


def gradient_x_change(network: Network, image: Image, adversarial: Image, class_index: int) -> Tensor:
    """Gradient at the adversarial image times the change: one backward pass, exact to first order only."""
    shares = InputXGradient(_OfChange(network, image)).attribute(
        (adversarial - image)[None].requires_grad_(), target=class_index
    )
    return shares.detach()[0].sum(0)


METHODS = {
    "integrated_gradients": integrated_gradients,
    "gradient_x_change": gradient_x_change,
}
