"""Single reversal: take one pixel's change back and see. Knows nothing of saliency, so it can prove a label wrong."""

import torch
from torch import Tensor

from explorer.evidence.attributions import centred
from explorer.types import Image, Network

CHUNK_VALUES = 2**21  # floats of input per forward pass


def centred_logits(network: Network, images: Tensor) -> Tensor:
    """Z (b, k) of images (b, 3, h, w), without gradients and in chunks that fit the memory."""
    with torch.no_grad():
        return torch.cat([centred(network(c)) for c in images.split(max(1, CHUNK_VALUES // images[0].numel()))])


def single_reversal(
    network: Network, image: Image, adversarial: Image, rows: Tensor, cols: Tensor, label: int, wrong: int
) -> tuple[Tensor, Tensor]:
    """Obscuring and leading (n,) of each changed pixel, in logits.

    o_i = Z_y(x' - d_i) - Z_y(x'): what reverting the pixel gives back to the true class;
    l_i = Z_t(x') - Z_t(x' - d_i): what it takes from the wrong one.
    """
    reverted = adversarial.repeat(len(rows), 1, 1, 1)
    each = torch.arange(len(rows), device=rows.device)
    reverted[each, :, rows, cols] = image[:, rows, cols].T
    z = centred_logits(network, torch.cat([adversarial[None], reverted]))
    return z[1:, label] - z[0, label], z[0, wrong] - z[1:, wrong]
