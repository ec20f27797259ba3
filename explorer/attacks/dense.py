"""Dense sign-gradient attacks within an L-infinity ball: I-FGSM (arXiv 1607.02533) and PGD (arXiv 1706.06083)."""

import torch
import torch.nn.functional as F

from explorer.numerics import finite, margins
from explorer.types import Images, Labels, Network


def sign_attack(
    network: Network,
    images: Images,
    labels: Labels,
    *,
    eps: float,
    steps: int,
    step_size: float | None = None,
    targets: Labels | None = None,
    loss: str = "cross-entropy",
    start: Images | None = None,
    generator: torch.Generator | None = None,
) -> Images:
    """Raise the cross-entropy of `labels` (lower that of `targets`) by signed steps, within eps (in [0, 1] units).

    With loss "margin", lower the margin instead: the cross-entropy of a very sure network has no gradient in float32.
    I-FGSM with step eps / steps by default, from `start` if given; with a `generator` it starts at a uniform random
    point: PGD.
    Returns images in [0, 1]; inputs and the network's gradients are left alone.
    """
    step_size = eps / steps if step_size is None else step_size
    low, high = (images - eps).clamp(0, 1), (images + eps).clamp(0, 1)
    adversarial = images.clone() if start is None else start.clamp(low, high)
    if generator is not None:
        noise = torch.rand(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
        adversarial = (images + eps * (2 * noise.to(images.device) - 1)).clamp(0, 1)
    towards, sign = (labels, 1) if targets is None else (targets, -1)
    for _ in range(steps):
        adversarial.requires_grad_(True)
        with torch.enable_grad():
            logits = network(adversarial)
            if loss == "margin":
                gain = -margins(logits, labels, targets).sum()
            else:
                gain = sign * F.cross_entropy(logits, towards, reduction="sum")
        (gradient,) = torch.autograd.grad(gain, adversarial)
        adversarial = (adversarial.detach() + step_size * finite(gradient).sign()).clamp(low, high)
    return adversarial.detach()
