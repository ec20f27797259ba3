"""Fingerprints by content: the same bytes have the same one, on every device and whatever they are called."""

import hashlib

import torch
from torch import nn

from explorer.types import Image


def image_sha256(image: Image) -> str:
    """Fingerprint of a picture, or of several: of the shape and the RGB bytes."""
    pixels = (image.detach().cpu() * 255).round().to(torch.uint8).contiguous()
    return hashlib.sha256(str(tuple(pixels.shape)).encode() + pixels.numpy().tobytes()).hexdigest()


def network_sha256(network: nn.Module) -> str:
    """Fingerprint of a network: of its structure and its numbers."""
    digest = hashlib.sha256(repr(network).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
