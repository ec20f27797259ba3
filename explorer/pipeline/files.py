"""The files of one run: the attacked picture, with its marks, the table of pixels, and all about it."""

import json
from typing import Any

import torch

from explorer.classifiers import Classifier
from explorer.exact import exact_arithmetic
from explorer.images import load_image, to_png
from explorer.locks import exclusive
from explorer.pipeline.exploration import Exploration
from explorer.pipeline.exports import pixels_csv, report
from explorer.pipeline.overlay import overlay

RESULT = "result.json"
FILES = ("adversarial.png", "overlay.png", "pixels.csv", RESULT)  # the last one says that all are there


def run_files(exploration: Exploration, clf: Classifier, **more: Any) -> dict[str, bytes]:
    """The content of FILES by their names, in their order; `more` goes into the result."""
    each = exploration
    saved = to_png(each.adversarial)
    pixels = each.evidence.pixels if each.evidence else ()
    result = {**report(each), "saved_picture_fools": _fools(saved, each, clf), **more}
    contents = (
        saved,
        to_png(overlay(each.adversarial, pixels)),
        pixels_csv(each.evidence).encode(),
        json.dumps(result, indent=1).encode() + b"\n",
    )
    return dict(zip(FILES, contents, strict=True))


def _fools(saved: bytes, exploration: Exploration, clf: Classifier) -> bool:
    """Whether the saved picture, read back, fools the network."""
    with exclusive(clf), exact_arithmetic(clf.device), torch.no_grad():
        seen = int(clf(load_image(saved)[None].to(clf.device)).argmax())
    return seen != exploration.label if exploration.target is None else seen == exploration.target
