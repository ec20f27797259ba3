"""What a sweep notes of every run: whether and how it fooled, how the steps went, how close the smoothed count came."""

from typing import Any

import torch
from torch import Tensor

from explorer.attacks import Attack
from explorer.attacks.sparse import final_width
from explorer.grid import changed_pixels
from explorer.knobs import knobs
from explorer.numerics import smoothed_l0
from explorer.packing import pack_changes, unpack_changes
from explorer.types import AttackResult, Image, Logits, Trace

STEADY = 0.1  # a settled run's count stays within this share of its mean, or within one pixel
KEPT_PIXELS = 1024  # pictures with more changed pixels are not kept
SMOOTHING = {"a", "schedule", "surrogate"}  # the knobs that say how the count of weights is smoothed


def measures(result: AttackResult, logits: Logits, attack: Attack) -> dict[str, list[Any]]:
    """One column per measure, with one value per image; None where a measure has no value.

    `logits` (b, k) are the network's on the adversarial images. `confidence` is the probability of the class that the
    network then sees.
    """
    columns = {
        "label": result.labels,
        "adversarial_label": result.adversarial_labels,
        "succeeded": result.succeeded,
        "n_pixels": result.n_pixels,
        "n_entries": result.n_entries,
        **{f"{stage}_pixels": count for stage, count in result.stage_pixels().items()},
        "confidence": logits.softmax(1).amax(1),
        "converged_step": converged_step(result.trace),
        "settled": settled(result.trace),
        **(_counts(result, attack) if attack.has_weights else {}),
    }
    plain = {name: [_plain(value) for value in column.tolist()] for name, column in columns.items()}
    pairs = zip(result.images, result.adversarial, strict=True)
    return plain | {"changes": [pack(image, adversarial) for image, adversarial in pairs]}


def converged_step(trace: Trace) -> Tensor:
    """Step (b,), from 1, of the first fooling iterate with the fewest changed pixels; NaN where none fooled."""
    if not len(trace.margin):
        return torch.full(trace.margin.shape[1:], torch.nan)
    fooled = trace.margin < 0
    count = torch.where(fooled, trace.n_pixels, torch.iinfo(torch.int64).max)
    return torch.where(fooled.any(0), 1 + count.argmin(0), torch.nan)


def settled(trace: Trace) -> Tensor:
    """Whether (b,) the iterate's number of changed pixels stays put over the last quarter of the steps: it changes some
    pixels, and none of its counts is further from their mean than STEADY of it, or one pixel.
    """
    late = trace.n_pixels[-max(1, len(trace.n_pixels) // 4) :].double()
    if not len(late):
        return torch.zeros(late.shape[1:], dtype=torch.bool)
    mean = late.mean(0)
    return ((late - mean).abs().amax(0) <= (STEADY * mean).clamp(min=1)) & (late.amin(0) > 0)


def _counts(result: AttackResult, attack: Attack) -> dict[str, Tensor]:
    """Units with weight at the last step, and their smoothed count if the attack smooths it. The step is 1/2 at weight
    0, so what is summed is twice the step less one: 0 for a weight of 0, towards 1 for a large one.
    """
    v = result.weights
    if not {*knobs(attack)} >= SMOOTHING:
        return {"weights_l0": (v > 0).sum(1)}
    width = final_width(torch.as_tensor(attack.a, dtype=v.dtype, device=v.device), attack.schedule)
    smoothed = (2 * smoothed_l0(v, width.expand(len(v))[:, None], attack.surrogate) - 1).sum(1)
    return {"weights_l0": (v > 0).sum(1), "weights_smoothed_l0": smoothed}


def pack(image: Image, adversarial: Image) -> str:
    """The changed pixels as text: their places and new colours; empty if there are more than KEPT_PIXELS."""
    return pack_changes(image, adversarial) if int(changed_pixels(image, adversarial).sum()) <= KEPT_PIXELS else ""


def unpack(image: Image, changes: str) -> Image | None:
    """The adversarial picture again, on the 8-bit grid; None if it was not kept."""
    return unpack_changes(image, changes) if changes else None


def _plain(value: Any) -> Any:
    """In JSON's own types: what is not a number is None."""
    return None if isinstance(value, float) and value != value else value
