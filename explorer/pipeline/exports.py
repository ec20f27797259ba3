"""An exploration as files: a report for programs, a table of the pixels, and a program that does it again."""

import csv
import dataclasses
import hashlib
import io
import math
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch

from explorer.evidence import DEFAULT_METHOD, trust
from explorer.images import to_uint8
from explorer.pipeline.escaping import one_line
from explorer.pipeline.exploration import Exploration
from explorer.types import Evidence, Image

PACKAGES = ("torch", "torchvision", "captum", "numpy", "opencv-python-headless", "pillow")


def report(exploration: Exploration) -> dict[str, Any]:
    """Everything about a run, ready for JSON: settings, versions, labels, counts, evidence."""
    each, result = exploration, exploration.result
    names = each.class_names
    labels = {"true": each.true_label, "attacked": each.label, "target": each.target, "after": each.adversarial_label}
    return _plain(
        {
            "story": each.story,
            "succeeded": each.succeeded,
            "stopped": result.stopped,
            "gradient": result.gradient,
            "was_training": result.was_training,
            "network": each.network,
            "dataset": each.dataset,
            "picture": {"sha256": picture_sha256(each.image), "shape": list(each.image.shape)},
            "labels": {key: None if k is None else {"index": k, "name": names[k]} for key, k in labels.items()},
            "confidence": {"before": each.before[each.label], "after": each.after[each.adversarial_label]},
            "already_wrong": each.already_wrong,
            "probability_before": dict(zip(names, each.before.tolist(), strict=True)),
            "probability_after": dict(zip(names, each.after.tolist(), strict=True)),
            "stage": each.stage,
            "n_pixels": each.n_pixels,
            "n_entries": each.n_entries,
            "n_pixels_after_stage": {name: int(count) for name, count in result.stage_pixels().items()},
            "attack": type(each.attack).__name__,
            "settings": dataclasses.asdict(each.attack),
            "region": None if each.region is None else {"n_pixels": each.region.n_pixels, "text": each.region.text},
            "evidence": _evidence(each.evidence),
            "findings": [{"seen": finding.seen, "cause": finding.cause} for finding in each.findings],
            "remarks": list(each.remarks),
            "seconds": {"attack": each.attack_seconds, "evidence": each.evidence_seconds},
            "versions": {"python": platform.python_version(), **_versions()},
        }
    )


def pixels_csv(evidence: Evidence | None) -> str:
    """One row per changed pixel; colours 0..255, obscuring and leading in `unit`, the reversal's in logits."""
    file = io.StringIO()
    head = ["row", "col", *(f"{c}_{when}" for when in ("before", "after") for c in ("red", "green", "blue"))]
    head += ["obscuring", "leading", "unit", "kind", "weak", "reversal_obscuring", "reversal_leading", "reversal_kind"]
    table = csv.writer(file, lineterminator="\n")
    table.writerow(head)
    for p in evidence.pixels if evidence else ():
        reversal = p.reversal_obscuring, p.reversal_leading, p.reversal_kind
        table.writerow(
            [p.row, p.col, *p.before, *p.after, p.obscuring, p.leading, evidence.unit, p.kind, p.weak, *reversal]
        )
    return file.getvalue()


def snippet(exploration: Exploration, picture: str = "picture.png", device: str = "", expected: str = "") -> str:
    """A Python program that repeats the run from the clean picture, saved as `picture`; by default on the device where
    the result lies. Whatever the network's classes are called, it is the same program: their names are only in its
    comments, each in one line. `expected`: the file of the attacked picture, which the result is compared with.
    """
    each = exploration
    settings = [f"{name}={_literal(value)}" for name, value in dataclasses.asdict(each.attack).items()]
    target = "None" if each.target is None else f"torch.tensor([{each.target}], device=clf.device)"
    target_name = "any wrong class" if each.target is None else each.class_names[each.target]
    method = each.evidence.method if each.evidence else DEFAULT_METHOD
    imported, region, given = "", "", ""
    if each.region is not None:
        imported, given = "\nfrom explorer.regions import Region", ", region=region.mask"
        region = f"\nregion = Region.parse({_literal(each.region.text)})  # {one_line(each.region.told)} may change"
    compared = (
        f"""
n_other = int(changed_pixels(load_image({_literal(expected)}).to(clf.device), adversarial).sum())
if n_other:
    raise SystemExit(f"The result differs in {{n_other}} pixels: on another device, or with other versions, it may.")
print("The result is equal.")
"""
        if expected
        else ""
    )
    return f"""# {one_line(each.story)}

import torch

from explorer import explain_pixels, load_classifier, load_image
from explorer.attacks import {type(each.attack).__name__}
from explorer.grid import changed_pixels{imported}

clf = load_classifier({_literal(each.network)}, device={_literal(device or _device(each))})
image = load_image({_literal(picture)}).to(clf.device)  # the clean picture, as downloaded
label = {each.label}  # {one_line(each.class_names[each.label])}
targets = {target}  # {one_line(target_name)}{region}

attack = {type(each.attack).__name__}(
    {f",{chr(10)}    ".join(settings)},
)
result = attack(clf, image[None], torch.tensor([label], device=clf.device), targets{given})
adversarial = result.stages[{_literal(each.stage)}][0]
n_pixels = int(changed_pixels(image, adversarial).sum())

after = clf.class_names[int(clf(adversarial[None]).argmax())]
print(f"{{clf.class_names[label]}} -> {{after}}, by {{n_pixels}} pixels")
if n_pixels:
    for pixel in explain_pixels(clf, image, adversarial, label, method={_literal(method)}).pixels:
        print(f"row {{pixel.row}}, column {{pixel.col}}: {{pixel.kind}}{{' (weak)' if pixel.weak else ''}}")
{compared}"""


def picture_sha256(image: Image) -> str:
    """The fingerprint of a picture: of its RGB bytes, row by row."""
    return pixels_sha256(to_uint8(image))


def pixels_sha256(pixels: np.ndarray) -> str:
    """The same of a picture (h, w, 3) uint8."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    counts = {kind: evidence.count(kind) for kind in ("obscuring", "leading")}
    return {**dataclasses.asdict(evidence), "counts": counts, "trust": dataclasses.asdict(trust(evidence))}


def _literal(value: Any) -> str:
    """As Python reads it back; a text that needs no escapes in double quotes."""
    simple = isinstance(value, str) and value.isprintable() and not {'"', "\\"} & {*value}
    return f'"{value}"' if simple else repr(value)


def _device(exploration: Exploration) -> str:
    return exploration.result.images.device.type


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # another build of the same library, such as opencv-python
            continue
    return versions


def _plain(value: Any) -> Any:
    """The same, in JSON's own types; what is not a number becomes null."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, torch.Tensor):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
