"""Attributions of the change by its path from the clean to the adversarial picture, by Captum.

Each function takes a Case and returns (2, n): the obscuring and leading of each changed pixel, in logits.
"""

import math

import numpy as np
import torch
from captum.attr import DeepLift, InputXGradient, IntegratedGradients, Saliency
from torch import Tensor

from explorer.evidence.attributions.no_trace import process_wide, untouched
from explorer.evidence.case import Case, centred
from explorer.kernels import seen_by
from explorer.memory import shrinking
from explorer.types import Image, Images, Logits, Network

IG_STEPS = 32  # points on the way; twice as many for pictures of at most
SMALL = 2**12  # floats, such as 32 x 32 pixels
CLOSE = 0.02  # relative error of the sum above which they are doubled, for pictures of at most
MEDIUM = 2**14  # floats, such as 64 x 64 pixels
POINT_VALUES = 2**19  # floats of input per forward and backward pass, so that memory stays bounded
POINTS = 32  # points per pass at most: more of a small picture take more memory, and no less time
SHAP_SAMPLES = 50


class OfChange(torch.nn.Module):
    """Centred logits as a function of the change to an image; a module, because Captum hooks modules."""

    def __init__(self, network: Network, image: Image) -> None:
        super().__init__()
        self.network, self.image = network, image

    def forward(self, change: Images) -> Logits:
        return centred(seen_by(self.network, self.image + change))


def integrated_gradients(case: Case) -> Tensor:
    """Integrated gradients from the clean to the adversarial image (arXiv 1703.01365); the shares sum to the change.

    Where that sum is not right within CLOSE, a small picture gets twice as many points on the way.
    """
    whole, size = torch.stack([case.lost, case.gained]), case.image.numel()
    steps = IG_STEPS * (2 if size <= SMALL else 1)
    shares = _along(case, steps)
    if relative_error(shares, whole) > CLOSE and size <= MEDIUM:
        shares = _along(case, 2 * steps)
    return shares


def _along(case: Case, steps: int) -> Tensor:
    method = IntegratedGradients(_of_change(case))

    def attribute(batch: int) -> Tensor:
        return method.attribute(_change(case), target=case.classes, n_steps=steps, internal_batch_size=batch)

    batch = max(2, min(POINTS, POINT_VALUES // case.image.numel()))
    return _shares(case, shrinking(attribute, batch, least=2))  # one point of the way to each of the two classes


def relative_error(shares: Tensor, whole: Tensor) -> float:
    """|1 - sum of shares / whole| for shares (r, n) of whole (r,), the worst row; infinite where whole is 0."""
    return (1 - shares.sum(1) / whole).abs().nan_to_num(math.inf, posinf=math.inf).max().item()


def gradient_x_change(case: Case) -> Tensor:
    """Gradient at the adversarial image times the change: one backward pass, exact to first order only."""
    return _shares(case, InputXGradient(_of_change(case)).attribute(_change(case), target=case.classes))


def saliency(case: Case) -> Tensor:
    """The signed gradient where each class is seen (arXiv 1312.6034), times the change: that of the true class on the
    clean image, that of the wrong one on the adversarial image.
    """
    return _shares(case, gradients(case) * (case.adversarial - case.image))


def gradients(case: Case) -> Tensor:
    """Signed gradients (2, 3, h, w): of the true class on the clean image, of the wrong one on the adversarial."""
    seen = torch.stack([torch.zeros_like(case.image), case.adversarial - case.image]).requires_grad_()
    return Saliency(_of_change(case)).attribute(seen, target=case.classes, abs=False).detach()


def deep_lift(case: Case) -> Tensor:
    """DeepLIFT's rescale rule with the clean image as reference (arXiv 1704.02685); the shares sum to the change."""
    change = _change(case)
    with untouched(case.network), process_wide():
        return _shares(
            case,
            DeepLift(_of_change(case)).attribute(change, baselines=torch.zeros_like(change), target=case.classes),
        )


def gradient_shap(case: Case) -> Tensor:
    """Expected gradients at random points of the path (arXiv 1906.10670): integrated gradients by chance.

    Not Captum's own, which makes its random points in double precision: a device may have none.
    """
    change, size = case.adversarial - case.image, case.image.numel()
    drawn = np.random.RandomState(0).uniform(size=(2, SHAP_SAMPLES)).tolist()  # other points for each of the classes
    along, method = torch.tensor(drawn, dtype=change.dtype).to(change), Saliency(_of_change(case))

    def attribute(at_once: int) -> Tensor:
        total = torch.zeros_like(torch.stack([change, change]))
        for some in along.split(at_once, 1):
            points = (some[..., None, None, None] * change).flatten(0, 1).requires_grad_()
            slopes = method.attribute(points, target=case.classes.repeat_interleave(some.shape[1]), abs=False)
            total += slopes.detach().view(2, -1, *change.shape).sum(1)
        return total * change / SHAP_SAMPLES

    at_once = SHAP_SAMPLES if size <= MEDIUM else max(1, POINT_VALUES // size // 2)  # each for the two classes
    return _shares(case, shrinking(attribute, at_once))


def _of_change(case: Case) -> OfChange:
    return OfChange(case.network, case.image)


def _change(case: Case) -> Tensor:
    """The change, once for each of the two classes."""
    return (case.adversarial - case.image).repeat(2, 1, 1, 1).requires_grad_()


def _shares(case: Case, attributed: Tensor) -> Tensor:
    """From (2, 3, h, w), by class, to (2, n), by what the pixel does: obscuring lowers the true class."""
    towards = case.at_pixels(attributed.detach().sum(1))
    return torch.stack([-towards[0], towards[1]])
