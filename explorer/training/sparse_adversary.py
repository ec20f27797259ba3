"""Training against sparse attacks: Fast-LS-l0 (Zhong, Huang, Liu, arXiv 2502.21041), put together from the paper.

Adversaries in one step of Sparse-PGD, with more pixels than are defended, because one step finds poor places; TRADES
(arXiv 1901.08573) and the soft labels of self-adaptive training (arXiv 2002.10319), because the loss over sparse
changes is so craggy that the network would only learn to withstand that one step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks.problem import Problem, as_units
from explorer.attacks.sparse_pgd import SparsePGD, chosen, made
from explorer.types import Images, Labels, Logits, Network

MOMENTUM = 0.9  # of the soft labels


def sparse_adversary(network: Network, images: Images, labels: Labels, k: int, generator: torch.Generator) -> Images:
    """The images (b, 3, h, w) in [0, 1] with `k` pixels changed: random ones at random, then one step of Sparse-PGD.

    For each image by lot, the gradient passes to all pixels or only to the k (their training mode "rand").
    """
    device = images.device
    problem = Problem(network, images, labels, None, torch.zeros_like(images), torch.ones_like(images))
    n = images[0, 0].numel()
    most = torch.full_like(labels, min(k, n))
    noise = 2 * torch.rand(images.shape, generator=generator).to(device) - 1
    change = as_units(noise.clamp(-images, 1 - images), problem.unit)
    scores = torch.randn((len(images), n), generator=generator).to(device)
    full = (torch.rand(len(images), generator=generator) < 0.5).to(device)
    ascent = SparsePGD().ascend(problem, change, scores, most, full)
    return made(problem, ascent.change, chosen(problem, ascent.scores, most))


def trades(clean: Logits, attacked: Logits, targets: Tensor, beta: float) -> Tensor:
    """Mean cross-entropy of `targets` (b, classes) on the clean images, and `beta` times the divergence of what is said
    of the attacked ones from what is said of the clean ones: arXiv 1901.08573, equation 5. Divided by 1 + beta.
    """
    divergence = F.kl_div(attacked.log_softmax(1), clean.log_softmax(1), reduction="batchmean", log_target=True)
    return (F.cross_entropy(clean, targets) + beta * divergence) / (1 + beta)


def softened(targets: Tensor, clean: Logits) -> Tensor:
    """The soft labels (b, classes) after what the network says now: a running mean, arXiv 2002.10319, equation 2."""
    return MOMENTUM * targets + (1 - MOMENTUM) * clean.detach().softmax(1)
