"""What a study notes of every run: whether and how it fooled, how the steps went, how close the smoothed count came,
what it cost, and on what it was done.
"""

import dataclasses
import math
import platform
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from explorer.attacks.sparse import final_width
from explorer.exact import exact_arithmetic
from explorer.grid import changed_pixels
from explorer.images import load_image, to_png
from explorer.knobs import knobs
from explorer.locks import exclusive
from explorer.numerics import margins, smoothed_l0
from explorer.packing import pack_changes, unpack_changes
from explorer.passes import Counted
from explorer.studies.cost import PeakMemory, seconds
from explorer.studies.plan import KEPT_PIXELS, Setting, Terms
from explorer.types import AttackResult, Image, Images, Labels, Logits, Network, OnStep, Trace

STEADY = 0.1  # a settled run's count stays within this share of its mean, or within one pixel
FLAGS = ("succeeded", "settled")
TEXT = {"key", "network", "defence", "picture", "attack", "changes", "device", "torch", "python"}  # columns of text
TEXT |= {"picture_sha256", "network_sha256", "version"}
SMOOTHING = {"a", "schedule", "surrogate"}  # the knobs that say how the count of weights is smoothed


def measured(
    network: Network,
    images: Images,
    labels: Labels,
    attack: Setting,
    terms: Terms = Terms(),
    on_step: OnStep | None = None,
) -> list[dict[str, Any]] | None:
    """Attack images (n, 3, h, w) with labels (n,), and say of each, in JSON's own types, what came of it; None if
    `on_step` asked to stop. A measure that has no value is None.

    `confidence` is the probability of the class that the network then sees; `png_fools`, whether the picture still
    fools after it was saved and read back; seconds and passes are those of the whole batch, divided by its pictures;
    `memory_mb`, the most memory of the batch beyond what was in use before it; passes are unknown on CUDA, which
    replays what was recorded.
    """
    device, found = images.device, []
    with exclusive(network):
        memory = PeakMemory(device)
        counted = network if device.type == "cuda" else Counted(network)
        took = seconds(device, lambda: found.append(attack(counted, images, labels, on_step=on_step)))
        peak, (result,) = memory.peak(), found
        if result.stopped:
            return None
        with exact_arithmetic(device), torch.no_grad():
            logits = network(result.adversarial.clone())  # a network may write into what it is given
            saved = _read_back(result.adversarial) if terms.png else None
            png_fools = None if saved is None else (margins(network(saved), result.labels) < 0).tolist()
    batch = {
        "seconds": took / len(images),
        "forward_passes": getattr(counted, "forward_passes", math.nan) / len(images),
        "backward_passes": getattr(counted, "backward_passes", math.nan) / len(images),
        "memory_mb": peak / 1e6,
        "batch": len(images),
        "device": device.type,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    columns = measures(result, logits, attack, terms.kept_pixels)
    columns["png_fools"] = png_fools or [None] * len(images)
    common = {name: _plain(value) for name, value in batch.items()}
    return [dict(zip(columns, of, strict=True)) | common for of in zip(*columns.values(), strict=True)]


def _read_back(images: Images) -> Images:
    return torch.stack([load_image(to_png(image)) for image in images]).to(images)


def measures(
    result: AttackResult, logits: Logits, attack: Setting, kept_pixels: int = KEPT_PIXELS
) -> dict[str, list[Any]]:
    """One column per measure of a result, with one value per image. `logits` (b, k) are the network's on the
    adversarial images.
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
    return plain | {"changes": [pack(image, adversarial, kept_pixels) for image, adversarial in pairs]}


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


def well_formed(row: Mapping[str, Any], attack: Setting, values: int) -> bool:
    """Whether a row of a file may be one of these measures, of pictures with so many values, with these settings."""
    whole = ("label", "adversarial_label", "n_pixels", "n_entries", "optimised_pixels")
    settings = dataclasses.asdict(attack)
    return (
        all(isinstance(row.get(name), bool) for name in FLAGS)
        and all(_is_number(row.get(name), values, int) for name in whole)
        and _is_number(row.get("confidence"), 1.0)
        and _is_number(row.get("seconds"), math.inf)
        and (row.get("converged_step", 0) is None or _is_number(row.get("converged_step"), math.inf))
        and "changes" in row
        and all(row.get(name, ...) == value for name, value in settings.items())
        and all(_is_known(name, value) for name, value in row.items() if name not in settings)
        and all(name.isidentifier() for name in row)
    )


def _is_known(name: str, value: Any) -> bool:
    if name in TEXT:
        return isinstance(value, str) and value.isprintable()
    return value is None or name in FLAGS or _is_number(value, math.inf) or (name == "png_fools" and value in (0, 1))


def _is_number(value: Any, most: float, kind: type = object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and isinstance(value, kind)
    return number and 0 <= value <= most and value < math.inf


def _counts(result: AttackResult, attack: Setting) -> dict[str, Tensor]:
    """Units with weight at the last step, and their smoothed count if the attack smooths it. The step is 1/2 at weight
    0, so what is summed is twice the step less one: 0 for a weight of 0, towards 1 for a large one.
    """
    v = result.weights
    if not {*knobs(attack)} >= SMOOTHING:
        return {"weights_l0": (v > 0).sum(1)}
    width = final_width(torch.as_tensor(attack.a, dtype=v.dtype, device=v.device), attack.schedule)
    smoothed = (2 * smoothed_l0(v, width.expand(len(v))[:, None], attack.surrogate) - 1).sum(1)
    return {"weights_l0": (v > 0).sum(1), "weights_smoothed_l0": smoothed}


def pack(image: Image, adversarial: Image, kept_pixels: int = KEPT_PIXELS) -> str:
    """The changed pixels as text: their places and new colours; empty if there are more than `kept_pixels`."""
    return pack_changes(image, adversarial) if int(changed_pixels(image, adversarial).sum()) <= kept_pixels else ""


def unpack(image: Image, changes: str) -> Image | None:
    """The adversarial picture again, on the 8-bit grid and the image's device; None if it was not kept, or is not what
    `pack` makes.
    """
    try:
        return unpack_changes(image, changes).to(image.device) if changes else None
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    """In JSON's own types: what is not a number is None."""
    return None if isinstance(value, float) and value != value else value
