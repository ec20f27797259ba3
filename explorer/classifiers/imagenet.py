"""torchvision's classifiers of ImageNet (1000 classes): their weights are downloaded when somebody asks."""

import re
from functools import partial

import torch
from torch import nn
from torchvision import models

from explorer.classifiers.card import Card
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.downloads import Download
from explorer.classifiers.folding import fold_batch_norm
from explorer.classifiers.skeleton import WithoutNumbers
from explorer.samples import ImageNet

PREFIX = "torchvision:"  # of the names of all that are not in COMMON

# Title and one sentence, in the order in which they are offered.
COMMON: dict[str, tuple[str, str]] = {
    "squeezenet1_0": (
        "SqueezeNet 1.0",
        "As accurate as AlexNet with a fiftieth of its weights: the smallest.",
    ),
    "squeezenet1_1": ("SqueezeNet 1.1", "The same again at less than half the work."),
    "mobilenet_v2": ("MobileNetV2", "Made for telephones: as accurate as VGG at a fortieth of its size."),
    "mobilenet_v3_large": ("MobileNetV3, large", "MobileNetV2's successor, found by a search over architectures."),
    "resnet18": ("ResNet-18", "The smallest of ImageNet's residual networks."),
    "resnet50": ("ResNet-50", "The residual network that most others are compared with."),
    "resnet101": ("ResNet-101", "A residual network of a hundred layers."),
    "vgg16": ("VGG-16", "Convolutions one after another, without shortcuts: simple, and very large."),
    "vgg19": ("VGG-19", "VGG-16 with three more convolutions."),
    "vit_b_16": ("ViT-B/16", "The vision transformer: cuts the picture into 196 patches and weighs how they relate."),
    "swin_t": ("Swin-T", "A transformer that looks through shifted windows, from fine to coarse."),
    "convnext_tiny": ("ConvNeXt-T", "A convolutional network built in the manner of the transformers."),
}

# Arguments that a network needs so that its weights fit it, and mean what they should.
_ARGUMENTS = {
    "googlenet": {"init_weights": False, "transform_input": True},
    "inception_v3": {"init_weights": False, "transform_input": True},
}
AUXILIARY = ("aux1", "aux2", "AuxLogits")  # heads that only training uses: GoogLeNet's and Inception's
_NORMALISATION_OF_OLD = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")  # DenseNet's weights


def imagenet_cards() -> list[Card]:
    """The common ones."""
    return [imagenet_card(name) for name in COMMON]


def torchvision_names() -> list[str]:
    """Names of all other classifiers that torchvision has weights for."""
    return [f"{PREFIX}{name}" for name in models.list_models(module=models) if name not in COMMON]


def imagenet_card(name: str) -> Card:
    """One of COMMON by its name, or any architecture of torchvision.models as "torchvision:NAME".

    Raises ValueError with one sentence if torchvision has no such classifier with weights.
    """
    architecture = name.removeprefix(PREFIX)
    if architecture not in models.list_models(module=models):
        raise ValueError(
            f"torchvision has no classifier {architecture!r} with weights: {PREFIX} and a name that "
            "torchvision.models.list_models() gives is expected, such as torchvision:efficientnet_b0."
        )
    weights = models.get_model_weights(architecture).DEFAULT
    title, summary = COMMON.get(name, (architecture, "One of the other architectures of torchvision."))
    (side,) = weights.transforms().crop_size
    figures = weights.meta["_metrics"]["ImageNet-1K"]
    return Card(
        name=name,
        title=f"ImageNet: {title}",
        dataset=ImageNet.name,
        architecture=title,
        summary=summary,
        source="torchvision",
        input_size=(side, side),
        parameters=weights.meta["num_params"],
        load=partial(_load, name, architecture),
        build=partial(build, architecture),
        accuracy=figures["acc@1"] / 100,
        download=Download(weights.url, round(weights.meta["_file_size"] * 2**20)),
    )


def build(architecture: str, n_classes: int = 1000) -> nn.Module:
    """Torchvision's network of this name on the meta device, without numbers and without in-place operations."""
    arguments = {"num_classes": n_classes, **_ARGUMENTS.get(architecture, {})}
    if architecture.startswith("vit_"):  # its places are counted when it is made
        arguments["image_size"] = models.get_model_weights(architecture).DEFAULT.meta["min_size"][0]
    with WithoutNumbers():
        network = models.get_model(architecture, weights=None, **arguments).to("meta")
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # hooks of attribution methods see what came in and what came out
    return network


def without_auxiliary(network: nn.Module) -> nn.Module:
    """The same without heads that only training uses: weights that somebody trained may lack them."""
    for name in AUXILIARY:
        if hasattr(network, name):
            setattr(network, name, None)
    return network


def _load(name: str, architecture: str) -> Classifier:
    """Raises RuntimeError with one sentence if the weights are not on this computer, or damaged."""
    weights = models.get_model_weights(architecture).DEFAULT
    download = Download(weights.url, round(weights.meta["_file_size"] * 2**20))
    path = download.found()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = build(architecture)
        network.load_state_dict({_NORMALISATION_OF_OLD.sub(r"\1\2", key): state[key] for key in state}, assign=True)
    except Exception as error:  # an unpickler raises anything at all on a file that is none of its own
        raise RuntimeError(
            f"{path} is damaged, or no file of weights of {architecture}: remove it and download it again."
        ) from error
    transforms = weights.transforms()
    return Classifier(
        fold_batch_norm(network.eval()),
        name=name,
        class_names=weights.meta["categories"],
        input_size=(transforms.crop_size[0],) * 2,
        dataset=ImageNet.name,
        mean=transforms.mean,
        std=transforms.std,
    )
