"""The attribution methods: each says of every changed pixel how much it obscures and how much it leads."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from explorer.adapter import adapted, as_it_takes
from explorer.evidence.attributions import attention, games, layers, paths
from explorer.evidence.attributions.capabilities import NO_GRADIENTS, Capabilities, find_capabilities, gradient_at
from explorer.evidence.attributions.no_trace import undisturbed
from explorer.evidence.case import Case
from explorer.evidence.reversal import Reversals
from explorer.types import Image, Network

__all__ = ["DEFAULT_METHOD", "MAPS", "METHODS", "Map", "Method", "methods_for", "usual_method"]

Problem = Callable[[Capabilities], str | None]


def _anywhere(found: Capabilities) -> None:
    """Valid for every network."""


def _of_case(function: Callable[[Case], Tensor]) -> Callable[[Reversals], Tensor]:
    def shares(reversals: Reversals) -> Tensor:
        return function(reversals.case)

    return shares


@dataclass(frozen=True)
class Method:
    """One way to share out the change among the changed pixels."""

    title: str
    summary: str  # one sentence
    shares: Callable[[Reversals], Tensor]  # (2, n): obscuring and leading of each changed pixel
    complete: bool = False  # the shares sum to the change of the logits
    unit: str = "logits"
    gradients: bool = True  # it is not valid without them
    problem: Problem = _anywhere  # why else it is not valid for a network, or None


SHARE = "share of the map's largest value"

METHODS: dict[str, Method] = {
    "integrated_gradients": Method(
        "integrated gradients",
        "The gradients on the straight way from the clean to the attacked picture; the shares add up.",
        _of_case(paths.integrated_gradients),
        complete=True,
    ),
    "gradient_x_change": Method(
        "gradient × change",
        "The gradient at the attacked picture times the change: one backward pass, true to first order.",
        _of_case(paths.gradient_x_change),
    ),
    "saliency": Method(
        "saliency",
        "The gradient where each class is seen (true: clean picture; wrong: attacked one) times the change.",
        _of_case(paths.saliency),
    ),
    "deep_lift": Method(
        "DeepLIFT",
        "Compares every unit's activation on both pictures; the shares add up.",
        _of_case(paths.deep_lift),
        complete=True,
        problem=Capabilities.rescale_problem,
    ),
    "gradient_shap": Method(
        "GradientSHAP",
        "The gradient at random points between the two pictures.",
        _of_case(paths.gradient_shap),
    ),
    "shapley": Method(
        "Shapley values",
        "What each pixel adds, averaged over all orders in which the pixels could change; the shares add up.",
        games.shapley,
        complete=True,
        gradients=False,
    ),
    "grad_cam": Method(
        "Grad-CAM",
        "Where the network looks for the true class before and for the wrong class after: coarse.",
        _of_case(layers.grad_cam),
        unit=SHARE,
        problem=Capabilities.cam_problem,
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        "The same, sharpened by guided backpropagation, as in the paper's pictures.",
        _of_case(layers.guided_grad_cam),
        unit=SHARE,
        problem=lambda found: found.cam_problem() or found.guided_problem(),
    ),
    "occlusion": Method(
        "occlusion",
        "What each class loses when a patch of the picture's mean colour covers the place.",
        _of_case(layers.occlusion),
        unit=SHARE,
        gradients=False,
    ),
    "attention_rollout": Method(
        "attention rollout",
        "Which patches a transformer attends to, over all its layers, before and after: of no class, coarse.",
        _of_case(attention.attention_rollout),
        unit=SHARE,
        problem=Capabilities.attention_problem,
        gradients=False,  # `problem` asks for them
    ),
    "gradient_attention": Method(
        "gradient-weighted attention",
        "Where attention speaks for the true class before and for the wrong class after: coarse.",
        _of_case(attention.gradient_attention),
        unit=SHARE,
        problem=Capabilities.attention_problem,
        gradients=False,  # `problem` asks for them
    ),
}

DEFAULT_METHOD, FOR_BLACK_BOXES = "integrated_gradients", "shapley"


@dataclass(frozen=True)
class Map:
    """Where a method of the same name sees evidence."""

    of: Callable[[Case], Tensor]  # (2, h, w): the true class on the clean image, the wrong one on the other
    unit: str
    reading: str = "Blue speaks for the class, red against it"
    of_class: bool = True  # False: it is the same whatever class is asked for


MAPS: dict[str, Map] = {
    "saliency": Map(layers.saliency_maps, "logits per unit of colour"),
    "grad_cam": Map(layers.grad_cam_maps, "logits"),
    "guided_grad_cam": Map(layers.guided_grad_cam_maps, "gradient × Grad-CAM"),
    "occlusion": Map(layers.occlusion_maps, "logits"),
    "attention_rollout": Map(
        attention.attention_rollout_maps,
        "share of the attention",
        "The bluer a patch, the more attention it gets, whatever class that speaks for; attention is never negative",
        of_class=False,
    ),
    "gradient_attention": Map(
        attention.gradient_attention_maps,
        "logits, positive parts only",
        "Blue speaks for the class; what speaks against it is not counted here, and each patch has one value",
    ),
}


def methods_for(network: Network, image: Image) -> dict[str, str | None]:
    """Every method of METHODS: None if it is valid for this network, else why not."""
    image = as_it_takes(network, image)
    with undisturbed(network, image):
        network, _ = adapted(network, image[None])
        return problems_of(network, image)


def problems_of(network: Network, image: Image) -> dict[str, str | None]:
    """The same for a network that keeps the contract, inside `undisturbed`."""
    found = find_capabilities(network, image)
    return {name: _problem(method, found) for name, method in METHODS.items()}


def problem_of(method: str, network: Network, image: Image) -> str | None:
    """The same for one method; the network is only looked at where that matters: without gradients, it raises."""
    asked = METHODS[method]
    return None if asked.problem is _anywhere else _problem(asked, find_capabilities(network, image))


def _problem(method: Method, found: Capabilities) -> str | None:
    return NO_GRADIENTS if method.gradients and not found.gradients else method.problem(found)


def usual_method(network: Network, image: Image) -> str:
    """The method for who names none: DEFAULT_METHOD, or FOR_BLACK_BOXES where the network gives no gradients at `image`
    (3, h, w), or only zeros, as one that rounds does.
    """
    image = as_it_takes(network, image)
    with undisturbed(network, image):
        network, _ = adapted(network, image[None])
        gradient = gradient_at(network, image)
        return DEFAULT_METHOD if gradient is not None and gradient.any() else FOR_BLACK_BOXES
