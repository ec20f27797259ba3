"""Every bundled sign with all of its values moved by their last bit, as another device may hand them over:
`python -m tests.measure_last_bits`.

On every network of signs, the moved picture must have the same story, pixels, labels, files, what-if and sweep as the
picture itself. The exit code is 1 where one has not.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch

from explorer import SparseAttack, explain_pixels, load_classifier
from explorer.__main__ import main as command
from explorer.classifiers import CLASSIFIERS, Classifier
from explorer.pipeline import explore
from explorer.samples import gallery
from explorer.studies import Study, Subject
from explorer.studies.tuning import Task
from explorer.types import Sample

sys.path.insert(0, str(Path(__file__).parent))  # as pytest does for the tests
from modes import moved
from test_exactness import assert_same

QUICK = ["--steps", "20", "--no-polish", "--device", "cpu"]
FILES = ("adversarial.png", "overlay.png", "pixels.csv")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, help="of the gallery (default: all)")
    args = parser.parse_args()
    fine, samples = True, gallery()[: args.pictures]
    for name, card in CLASSIFIERS.items():
        if card.source == "bundled" and card.dataset == "signs":
            clf = load_classifier(name, device="cpu")
            told = sum(same_story(clf, sample, seed) for seed, sample in enumerate(samples))
            files = sum(same_files(name, sample, seed) for seed, sample in enumerate(samples))
            rows = same_rows(clf, samples)
            print(
                f"{name}: {told} stories, {files} sets of the command's files, {rows} rows of a sweep of {len(samples)}"
            )
            fine &= told == files == rows == len(samples)
    return 0 if fine else 1


def same_story(clf: Classifier, sample: Sample, seed: int) -> bool:
    """Story, pixels, labels, exports, what-if, of explore() and of explain_pixels()."""
    one, other = (explore(clf, image, SparseAttack()) for image in (sample.image, moved(sample.image, seed)))
    pictures = moved(one.image, seed), moved(one.adversarial, seed + 1)
    try:
        assert_same(clf, Task(clf, one.image[None], torch.tensor([one.label]), SparseAttack(), ("a",)), one, other)
        assert explain_pixels(clf, *pictures, one.label) == one.evidence
    except AssertionError as error:
        print(f"{clf.name}, {sample.name}: {error}")
        return False
    return True


def same_files(name: str, sample: Sample, seed: int) -> bool:
    """What `python -m explorer attack` writes."""
    found = []
    for each in (sample, replace(sample, image=moved(sample.image, seed))):
        with (
            tempfile.TemporaryDirectory() as folder,
            patch("explorer.commands.pictures.find_sample", lambda wanted, each=each: each),
            patch("sys.stdout", Path(folder, "told").open("w")),
        ):
            command(["attack", sample.name, "--model", name, "--out", folder, *QUICK])
            found.append([Path(folder, file).read_bytes() for file in FILES])
    return found[0] == found[1]


def same_rows(clf: Classifier, samples: list[Sample]) -> int:
    """Rows of a sweep that are alike."""
    images = torch.stack([sample.image for sample in samples])
    labels = clf(images).argmax(1)
    both = []
    for batch in (images, torch.stack([moved(image, seed) for seed, image in enumerate(images)])):
        study = Study([Subject(clf.name, clf, batch, labels)], [SparseAttack(steps=20, polish=False)])
        while study.advance():
            pass
        both.append([{**row, "seconds": None, "memory_mb": None} for row in study.rows()])
    return sum(one == other for one, other in zip(*both, strict=True))


if __name__ == "__main__":
    sys.exit(main())
