"""Evidence: each changed pixel labelled obscuring (it hides the true class) or leading (it points to the wrong one).

The categories are those of arXiv 2506.17250, which shows them by eye; the numbers and the checks are ours.
"""

import math

import torch

from explorer.evidence.agreement import cohens_kappa, spearmans_rho
from explorer.evidence.attributions import METHODS
from explorer.evidence.reversal import centred_logits, single_reversal
from explorer.locks import exclusive
from explorer.types import Checks, Evidence, Image, Network, PixelLabel

__all__ = ["METHODS", "explain_pixels"]

WEAK_SHARE = 0.05  # of the whole change: a pixel that moves less than this is weak
WEAK_GAP = 0.1  # of the larger number: closer than this and the two numbers do not tell the kinds apart


def explain_pixels(
    network: Network, image: Image, adversarial: Image, label: int, method: str = "integrated_gradients"
) -> Evidence:
    """Label every changed pixel between `image` and `adversarial`, both (3, h, w) RGB in [0, 1], and check the labels.

    With Z the centred logits, y = `label` and t the strongest other class at `adversarial` (the predicted one, if it is
    fooled), a pixel's obscuring is its share of the fall of Z_y, its leading its share of the rise of Z_t, both in
    logits; the kind is the larger of the two. `method` is a key of METHODS. Raises ValueError on bad input.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    for name, picture in (("image", image), ("adversarial", adversarial)):
        if not torch.is_tensor(picture) or picture.ndim != 3 or picture.shape != image.shape or len(picture) != 3:
            got = tuple(picture.shape) if torch.is_tensor(picture) else type(picture).__name__
            raise ValueError(f"image and adversarial must be tensors of one shape (3, h, w); got {name} {got}.")
        if not (torch.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1):
            raise ValueError(f"{name} must lie in [0, 1]; got values from {picture.min():.3g} to {picture.max():.3g}.")
    image, adversarial = image.detach(), adversarial.detach()
    with exclusive(network):
        z_clean, z = centred_logits(network, torch.stack([image, adversarial]))
        if not 0 <= label < len(z):
            raise ValueError(f"label must lie in 0..{len(z) - 1}; got {label}.")
        wrong = z.index_fill(0, torch.tensor(label, device=z.device), -math.inf).argmax().item()
        rows, cols = (image != adversarial).any(0).nonzero(as_tuple=True)
        if not len(rows):
            nothing = Checks(*[math.nan] * 5)
            return Evidence((), nothing, method, label, wrong)
        lost, gained = (z_clean - z)[label], (z - z_clean)[wrong]
        obscuring = -METHODS[method](network, image, adversarial, label)[rows, cols]
        leading = METHODS[method](network, image, adversarial, wrong)[rows, cols]
        reversal_obscuring, reversal_leading = single_reversal(network, image, adversarial, rows, cols, label, wrong)

    hides, reversal_hides = obscuring >= leading, reversal_obscuring >= reversal_leading
    larger = torch.maximum(obscuring, leading)
    weak = (larger < WEAK_SHARE * (lost.abs() + gained.abs()) / 2) | ((obscuring - leading).abs() < WEAK_GAP * larger)
    checks = Checks(
        completeness_error=max(_relative_error(obscuring, lost), _relative_error(leading, gained))
        if method == "integrated_gradients"
        else math.nan,
        agreement=(hides == reversal_hides).double().mean().item(),
        kappa=cohens_kappa(hides, reversal_hides),
        rank_correlation=spearmans_rho(obscuring - leading, reversal_obscuring - reversal_leading),
        additivity=_relative_error(reversal_obscuring, lost),
    )
    before, after = ((picture[:, rows, cols].T * 255).round().int().tolist() for picture in (image, adversarial))
    columns = [rows, cols, obscuring, leading, hides, weak, reversal_obscuring, reversal_leading, reversal_hides]
    pixels = tuple(
        PixelLabel(
            row=row,
            col=col,
            before=tuple(old),
            after=tuple(new),
            obscuring=hid,
            leading=led,
            kind=_kind(hiding),
            weak=is_weak,
            reversal_obscuring=ro,
            reversal_leading=rl,
            reversal_kind=_kind(reversal_hiding),
        )
        for old, new, row, col, hid, led, hiding, is_weak, ro, rl, reversal_hiding in zip(
            before, after, *(column.tolist() for column in columns), strict=True
        )
    )
    return Evidence(pixels, checks, method, label, wrong)


def _kind(hides: bool) -> str:
    return "obscuring" if hides else "leading"


def _relative_error(shares: torch.Tensor, whole: torch.Tensor) -> float:
    """|1 - sum of shares / whole|; infinite where there is no change to share."""
    return (1 - shares.sum() / whole).abs().nan_to_num(math.inf).item()
