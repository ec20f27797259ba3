"""The files of one run: the attacked picture, with its marks, the table of pixels, and all about it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch

from explorer.classifiers import Classifier
from explorer.exact import exact_arithmetic
from explorer.folders import has_key
from explorer.images import load_image, to_png
from explorer.locks import exclusive
from explorer.pipeline.exploration import Exploration
from explorer.pipeline.exports import pixels_csv, report
from explorer.pipeline.overlay import overlay

RESULT, FOOLS = "result.json", "saved_picture_fools"  # and what every result says
FILES = ("adversarial.png", "overlay.png", "pixels.csv", RESULT)  # the last one says that all are there


def check_folder(folder: Path) -> None:
    """Somebody else's table and result are not written over. Raises ValueError with one sentence."""
    for name, is_ours in (("pixels.csv", _is_table), (RESULT, partial(has_key, key=FOOLS))):
        path = folder / name
        if path.exists() and not is_ours(path):
            raise ValueError(f"{path} is not of a run of this command: name another folder, or move it away.")


def _is_table(path: Path) -> bool:
    head = pixels_csv(None).partition("\n")[0].encode()
    return path.is_file() and path.read_bytes().startswith(head)


def run_files(exploration: Exploration, clf: Classifier, **more: Any) -> dict[str, bytes]:
    """The content of FILES by their names, in their order; `more` goes into the result."""
    each = exploration
    saved = to_png(each.adversarial)
    pixels = each.evidence.pixels if each.evidence else ()
    result = {**report(each), FOOLS: _fools(saved, each, clf), **more}
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
