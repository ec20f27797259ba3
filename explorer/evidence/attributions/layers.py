"""Where the network looks: Grad-CAM, Guided Grad-CAM and occlusion, by Captum.

As the paper does by eye, the true class is looked for on the clean image and the wrong one on the adversarial image.
Maps are (2, h, w), raw and signed. A map says where evidence lies, not what a change does: as a vote, a pixel counts by
its share of the largest value of each map.
"""

import torch
from captum.attr import GuidedBackprop, LayerAttribution, LayerGradCam, Occlusion
from torch import Tensor

from explorer.evidence.attributions.capabilities import find_capabilities
from explorer.evidence.attributions.no_trace import process_wide, untouched
from explorer.evidence.attributions.paths import OfChange, gradients
from explorer.evidence.case import Case

PATCH = 8  # the occluding patch has an eighth of the picture's side and moves by half of that


def saliency_maps(case: Case) -> Tensor:
    """The signed gradient (arXiv 1312.6034) of each class, summed over the channels, in logits per unit of colour."""
    return gradients(case).sum(1)


def grad_cam_maps(case: Case) -> Tensor:
    """Grad-CAM (arXiv 1610.02391) on the last feature maps, without its ReLU, enlarged to the picture."""
    with untouched(case.network):
        model = _model(case)
        layer = find_capabilities(case.network, case.image).last_map
        coarse = LayerGradCam(model, layer).attribute(_both(case), target=case.classes, relu_attributions=False)
        return LayerAttribution.interpolate(coarse.detach(), tuple(case.image.shape[1:]), "bilinear")[:, 0]


def guided_grad_cam_maps(case: Case) -> Tensor:
    """Guided backpropagation (arXiv 1412.6806), summed over the channels, where Grad-CAM is positive."""
    with untouched(case.network), process_wide():
        guided = GuidedBackprop(_model(case)).attribute(_both(case), target=case.classes)
    return guided.detach().sum(1) * grad_cam_maps(case).clamp(min=0)


def occlusion_maps(case: Case) -> Tensor:
    """What each class loses under a patch of the picture's mean colour (arXiv 1311.2901), in logits."""
    side = max(1, min(case.image.shape[1:]) // PATCH)
    mean = case.image.mean((1, 2))[None, :, None, None].expand(2, *case.image.shape)
    with torch.no_grad():
        found = Occlusion(_model(case)).attribute(
            _both(case).detach(),
            sliding_window_shapes=(3, side, side),
            strides=(3, max(1, side // 2), max(1, side // 2)),
            baselines=mean - case.image,
            target=case.classes,
            perturbations_per_eval=max(1, 2**19 // case.image.numel() // 2),
        )
    return found[:, 0].to(case.image.dtype)


def grad_cam(case: Case) -> Tensor:
    """Grad-CAM as a vote: (2, n), shares of the largest value of each map."""
    return votes(case, grad_cam_maps(case))


def guided_grad_cam(case: Case) -> Tensor:
    """Guided Grad-CAM as a vote: (2, n), shares of the largest value of each map."""
    return votes(case, guided_grad_cam_maps(case))


def occlusion(case: Case) -> Tensor:
    """Occlusion as a vote: (2, n), shares of the largest value of each map."""
    return votes(case, occlusion_maps(case))


def votes(case: Case, maps: Tensor) -> Tensor:
    """Maps (2, h, w) at the changed pixels, as shares of the largest value of each: (2, n)."""
    scale = maps.flatten(1).abs().amax(1, keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    return case.at_pixels(maps) / scale


def _model(case: Case) -> OfChange:
    return OfChange(case.network, case.image)


def _both(case: Case) -> Tensor:
    """The two pictures as changes to the clean one."""
    change = case.adversarial - case.image
    return torch.stack([torch.zeros_like(change), change]).requires_grad_()
