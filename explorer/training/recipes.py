"""How each bundled classifier is trained. Adding one is one entry in RECIPES."""

from dataclasses import dataclass
from typing import Literal

from explorer.samples import Cifar10, RoadSigns


@dataclass(frozen=True)
class Recipe:
    """How one classifier is trained."""

    architecture: str  # a key of ARCHITECTURES
    arguments: dict
    epochs: int
    second_cycle: int = 0  # epochs after those, from half the peak learning rate down again (arXiv 1608.03983)
    dataset: str = RoadSigns.name
    renders: int = 12_000  # training pictures, if they are signs
    batch: int = 96
    optimiser: Literal["adamw", "sgd"] = "adamw"  # sgd: with Nesterov's momentum of 0.9
    learning_rate: float = 4e-3  # at its peak
    weight_decay: float = 0.02
    label_smoothing: float = 0.01
    augment: bool = False  # shift and mirror the pictures at random
    mixup: int = 0  # > 0: the second cycle sees so many pictures, each with another one laid over it
    small_until: float = 0.0  # share of the training in which the pictures have 3/4 of their side: half as long
    eps: float = 0.0  # > 0: adversarial training (PGD, arXiv 1706.06083) within this L-infinity radius
    attack_steps: int = 1  # of 1.25 eps / attack_steps each: one step is fast adversarial training, arXiv 2001.03994
    sparse: int = 0  # > 0: training against changes of so many pixels (Fast-LS-l0, arXiv 2502.21041) ...
    margin: int = 6  # ... whose adversaries change so many times as many, found in one step
    beta: float = 6.0  # of TRADES, arXiv 1901.08573: what it counts that adversaries are seen as the clean pictures
    soft_from: float = 0.3  # share of the training from which on labels follow what the network says
    ramp: float = 0.3  # share of the training over which eps, or the number of pixels, grows to its full size
    start_from: str | None = None  # the bundled classifier whose weights are the start
    half: bool = False  # store the kernels in half precision


_RESNET = {"stem": 16, "stem_stride": 2, "widths": [32, 64, 96], "blocks": [1, 1, 1], "strides": [2, 2, 2]}
_ROBUST = {"stem": 32, "stem_stride": 2, "widths": [64, 128, 256], "blocks": [1, 1, 1], "strides": [1, 2, 2]}
_SPARSE = {"stem": 16, "stem_stride": 2, "widths": [32, 64, 96], "blocks": [1, 1, 1], "strides": [2, 2, 2]}
_CIFAR = {"dataset": Cifar10.name, "batch": 128, "augment": True, "half": True}
_SGD = _CIFAR | {"optimiser": "sgd", "learning_rate": 0.4, "weight_decay": 5e-4}

RECIPES: dict[str, Recipe] = {
    # With more pictures, epochs or smoothed labels it is hardly more accurate, but pixels act less on their own: labels
    # by integrated gradients and by reversal then agree on 72 to 86 % of the pixels instead of 92 %.
    "signs-resnet": Recipe("resnet", _RESNET, epochs=5, renders=8_000, label_smoothing=0.0),
    "signs-cnn": Recipe("vgg", {"stem_stride": 2, "widths": [[24], [48], [96], [128]]}, epochs=8),
    # Mixed pictures must be few: with 24,000 of them labels by integrated gradients and by reversal agree on 86 to 89 %
    # of the pixels instead of 73 %, with 36,000 on 84 %, with 102,000 on 78 %, and with mixing from the start on 72 %.
    "signs-vit": Recipe(
        "vit",
        {"input_size": 64, "patch": 8, "width": 64, "depth": 3, "heads": 4, "expansion": 2, "stem": 24},
        epochs=7,
        second_cycle=2,
        mixup=12_000,
        renders=36_000,
        learning_rate=2e-3,
        weight_decay=0.05,
        label_smoothing=0.0,
    ),
    "signs-robust": Recipe(
        "resnet",
        _RESNET,
        epochs=4,
        eps=RoadSigns.eps,
        attack_steps=3,
        learning_rate=2e-3,
        label_smoothing=0.0,
        start_from="signs-resnet",
    ),
    "signs-sparse": Recipe(
        "preact_resnet", _SPARSE, epochs=8, renders=8_000, sparse=24, learning_rate=2e-3, label_smoothing=0.0
    ),
    # Sized for one core of a CPU: between half an hour and two hours each.
    "cifar-resnet20": Recipe("resnet", {}, epochs=36, small_until=0.4, label_smoothing=0.0, **_SGD),
    "cifar-vgg": Recipe(
        "vgg",
        {"widths": [[32], [64, 64], [128, 128], [256, 256]]},
        epochs=16,
        second_cycle=8,
        small_until=0.4,
        **_SGD,
    ),
    "cifar-mobilenet": Recipe(
        "mobilenet",
        {"width": 0.5, "stages": [[1, 32, 1, 1], [4, 48, 2, 2], [6, 80, 3, 2], [6, 128, 3, 1], [6, 192, 2, 2]]},
        epochs=18,
        small_until=0.4,
        **_SGD | {"learning_rate": 0.2},
    ),
    "cifar-vit": Recipe(
        "vit",
        {"patch": 4, "width": 128, "depth": 4, "heads": 4, "expansion": 2, "stem": [48, 96]},
        epochs=7,
        second_cycle=4,
        learning_rate=1e-3,
        weight_decay=0.05,
        **_CIFAR,
    ),
    "cifar-fast": Recipe(
        "resnet", _ROBUST, epochs=9, eps=Cifar10.eps, small_until=0.4, **_SGD | {"learning_rate": 0.2}
    ),
    "cifar-pgd": Recipe(
        "resnet",
        _ROBUST,
        epochs=1,
        eps=Cifar10.eps,
        attack_steps=3,
        ramp=0.05,
        start_from="cifar-fast",
        **_SGD | {"learning_rate": 0.1},
    ),
    "cifar-sparse": Recipe(
        "preact_resnet",
        {"stem": 24, "stem_stride": 2, "widths": [48, 96, 192], "blocks": [1, 1, 1], "strides": [1, 2, 2]},
        epochs=6,
        sparse=10,
        **_SGD | {"learning_rate": 0.2},
    ),
}
