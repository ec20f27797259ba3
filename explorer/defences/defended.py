"""A classifier behind a defence, which is itself a classifier; and what it sees in one picture.

An attack that knows of the defence needs gradients through it. Where the filter has none that can be followed, the
backward pass takes it for the identity: BPDA (Athalye et al., arXiv 1802.00420).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.defences.defence import Defence
from explorer.exact import exact_arithmetic
from explorer.types import Image, Images, Logits

KEPT = ("class_names", "input_size", "dataset")  # what a classifier knows of itself


class Defended(nn.Module):
    """(b, 3, h, w) RGB in [0, 1] -> logits (b, k) of the classifier on the filtered pictures."""

    def __init__(self, classifier: nn.Module, defence: Defence) -> None:
        """Any module from pictures to logits; what it knows of itself is known of this one too."""
        super().__init__()
        self.classifier, self.defence = classifier, defence
        for name in KEPT:
            if hasattr(classifier, name):
                setattr(self, name, getattr(classifier, name))
        self.name = f"{getattr(classifier, 'name', type(classifier).__name__)} behind {defence.title}"
        self.train(classifier.training)

    @property
    def device(self) -> torch.device:
        return next((tensor.device for tensor in (*self.parameters(), *self.buffers())), torch.device("cpu"))

    def extra_repr(self) -> str:
        """The defence with its settings: two networks are known to be the same by their structure and their numbers."""
        return repr(self.defence)

    def forward(self, images: Images) -> Logits:
        seen = self.defence(images.detach().clamp(0, 1))  # an attack may look a little beyond
        if torch.is_grad_enabled() and images.requires_grad:
            through = self.defence.filtered(images) if self.defence.differentiable else images
            seen = _StraightThrough.apply(through, seen)
        return self.classifier(seen)


class _StraightThrough(torch.autograd.Function):
    """The second tensor's values with the first one's gradient."""

    @staticmethod
    def forward(ctx: Any, through: Tensor, seen: Tensor) -> Tensor:
        return seen.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


@dataclass(frozen=True, eq=False)
class Look:
    """One picture before and after a filter, and what the classifier sees in each."""

    before: Image
    filtered: Image
    logits_before: Tensor  # (k,)
    logits_filtered: Tensor  # (k,)

    @property
    def prediction_before(self) -> int:
        return int(self.logits_before.argmax())

    @property
    def prediction_filtered(self) -> int:
        return int(self.logits_filtered.argmax())


def look(classifier: nn.Module, defence: Defence, image: Image) -> Look:
    """What `classifier` sees in an image (3, h, w) in [0, 1] without and with the defence. ValueError on bad input."""
    filtered = defence(image[None])
    with exact_arithmetic(image.device), torch.no_grad():
        before, after = (classifier(images.clone())[0] for images in (image[None], filtered))
    return Look(image, filtered[0], before, after)
