"""Where a vision transformer attends: attention rollout, and attention weighted by its gradient.

Maps are (2, h, w), raw, on the clean and on the attacked picture; every pixel has the value of its patch. Where
convolutions come before the patches, these overlap a little at their edges. A map says where evidence is gathered, not
what a change does: as a vote, a pixel counts by its share of the largest value of each map.

How the relevance of patches is read: with a class token, from its row, less its own column; where all patches are
averaged at the end, as in our own networks, the mean of all rows. Which it is, the gradient of the logits shows.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from explorer.evidence.attributions.attended import attend
from explorer.evidence.attributions.layers import votes
from explorer.evidence.case import Case
from explorer.types import Image, Network


def rollout(weights: Sequence[Tensor]) -> Tensor:
    """Attention rollout (arXiv 2005.00928): the product over the layers of (A + I) / 2, A the mean over the heads and I
    for the residual connection. From (heads, t, t) of each layer, the first one first, to (t, t); rows sum to 1.
    """
    flow = eye = _identity(weights)
    for layer in weights:
        flow = (layer.mean(0) + eye) / 2 @ flow
    return flow


def gradient_flow(weights: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
    """R <- R + mean over heads of (slope * A)^+ R, from R = I, less I: equations 5 and 6 of arXiv 2103.15679.

    That is equations 13 and 14 of arXiv 2012.09838 with the attention A itself in place of its layer-wise relevance.
    Weights and slopes are (heads, t, t) of each layer, the first one first; the result is (t, t), never negative.
    """
    flow = eye = _identity(weights)
    for layer, slope in zip(weights, slopes, strict=True):
        flow = flow + (slope * layer).clamp(min=0).mean(0) @ flow
    return flow - eye


def rollout_per_patch(network: Network, image: Image) -> Tensor:
    """The share of attention that each patch gets, over all layers, (gh, gw). It is the same for every class."""
    attended = attend(network, image)
    return attended.per_patch(rollout([each.detach() for each in attended.weights]))


def gradient_per_patch(network: Network, image: Image, labels: Sequence[int]) -> Tensor:
    """What each patch adds to the centred logit of each class by being attended to, (len(labels), gh, gw)."""
    attended = attend(network, image)
    weights = [each.detach() for each in attended.weights]
    return torch.stack([attended.per_patch(gradient_flow(weights, attended.slopes(label))) for label in labels])


def attention_rollout_maps(case: Case) -> Tensor:
    """Attention rollout on each of the two pictures; a class plays no part."""
    return _of_pixels(case, [rollout_per_patch(case.network, each) for each in (case.image, case.adversarial)])


def gradient_attention_maps(case: Case) -> Tensor:
    """Attention weighted by its gradient: for the true class on the clean picture, for the wrong one on the other."""
    seen = ((case.image, case.label), (case.adversarial, case.wrong))
    return _of_pixels(case, [gradient_per_patch(case.network, image, [label])[0] for image, label in seen])


def attention_rollout(case: Case) -> Tensor:
    """Attention rollout as a vote: (2, n), shares of the largest value of each map."""
    return votes(case, attention_rollout_maps(case))


def gradient_attention(case: Case) -> Tensor:
    """Gradient-weighted attention as a vote: (2, n), shares of the largest value of each map."""
    return votes(case, gradient_attention_maps(case))


def _identity(weights: Sequence[Tensor]) -> Tensor:
    return torch.eye(weights[0].shape[-1], dtype=weights[0].dtype, device=weights[0].device)


def _of_pixels(case: Case, maps: Sequence[Tensor]) -> Tensor:
    size = tuple(case.image.shape[1:])
    return functional.interpolate(torch.stack(list(maps))[:, None], size, mode="nearest-exact")[:, 0]
