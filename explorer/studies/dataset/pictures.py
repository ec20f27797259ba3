"""The pictures of a study: listed, read when their turn comes, and sorted into those that can be attacked and the rest.

Only pictures that a network sees correctly are attacked. Where nobody knows the true class, the prediction takes its
place. Broken pictures, second copies and mistaken ones are left out, and each says why.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from explorer.classifiers import Classifier
from explorer.classifiers.class_names import classes_of_folders
from explorer.exact import exact_arithmetic
from explorer.folders import visible
from explorer.hashes import image_sha256
from explorer.images import fit, load_image, picture_files
from explorer.locks import read_only_twin
from explorer.memory import as_one_sentence
from explorer.samples import CUSTOM, Listed, title_of
from explorer.studies.subject import Subject
from explorer.types import Image

AT_ONCE = 32  # pictures of a forward pass


@dataclass(frozen=True)
class LeftOut:
    """A picture that is not attacked, and why."""

    network: str
    picture: str
    kind: Literal["unreadable", "copy", "mistaken"]
    reason: str


@dataclass(frozen=True)
class Gathered:
    """What one network is attacked on, and what is left out."""

    subject: Subject
    class_names: tuple[str, ...]
    known: tuple[bool, ...]  # of each picture of the subject: whether the true class is known, and not guessed
    sizes: tuple[tuple[int, int], ...]  # (height, width) of each as it came
    left_out: tuple[LeftOut, ...]
    n_known: int  # pictures that could be read and whose true class is known ...
    n_right: int  # ... and those of them that the network sees correctly


def gather(
    clf: Classifier,
    listed: Sequence[Listed],
    *,
    title: str = "",
    stopped: Callable[[int], bool] = lambda done: False,
) -> Gathered | None:
    """Read the pictures and ask the network about each; None where `stopped`, which hears how many are read, says so.
    `title`: what the network is called in the table.

    Raises ValueError with one sentence if the pictures' classes are not the network's.
    """
    check_classes(clf, listed)
    name = title or clf.name
    images, names, labels, sizes = [], [], [], []
    left_out, first_of = [], {}
    for number, each in enumerate(listed):
        if stopped(number):
            return None
        try:
            picture = each.read()
        except ValueError as error:
            left_out.append(LeftOut(name, each.name, "unreadable", " ".join(str(error).split())))
            continue
        image = fit(picture, clf.input_size)
        content = image_sha256(image)
        if content in first_of:
            left_out.append(LeftOut(name, each.name, "copy", f"the same picture as {first_of[content]}"))
            continue
        first_of[content] = each.name
        images.append(image)
        names.append(each.name)
        labels.append(each.label)
        sizes.append(tuple(picture.shape[1:]))
    seen = [label for some in _batches(images) for label in _predicted(clf, some)]
    used, n_right = [], 0
    for index, (label, sees) in enumerate(zip(labels, seen, strict=True)):
        if label in (None, sees):
            used.append(index)
            n_right += label is not None
        else:
            told = f"the network mistakes it: {clf.class_names[label]} is seen as {clf.class_names[sees]}"
            left_out.append(LeftOut(name, names[index], "mistaken", told))
    blank = torch.empty(0, 3, *clf.input_size)
    return Gathered(
        subject=Subject(
            name,
            clf,
            (torch.stack([images[index] for index in used]) if used else blank).to(clf.device),
            torch.tensor([seen[index] for index in used], dtype=torch.long, device=clf.device),
            tuple(names[index] for index in used),
        ),
        class_names=tuple(clf.class_names),
        known=tuple(labels[index] is not None for index in used),
        sizes=tuple(sizes[index] for index in used),
        left_out=tuple(left_out),
        n_known=sum(label is not None for label in labels),
        n_right=n_right,
    )


def check_classes(clf: Classifier, listed: Sequence[Listed]) -> None:
    """Raises ValueError with one sentence if the pictures' classes are not the network's."""
    for each in listed:
        if each.label is None:
            continue
        if each.dataset not in ("", clf.dataset) and clf.dataset != CUSTOM:
            raise ValueError(
                f"{clf.name} knows {title_of(clf.dataset)}, and the true class of {each.name} is one of "
                f"{title_of(each.dataset)}: choose pictures of what the network knows."
            )
        if not 0 <= each.label < len(clf.class_names):
            raise ValueError(f"{each.name} has class {each.label}; {clf.name} knows 0 to {len(clf.class_names) - 1}.")


def folder_pictures(folder: Path, class_names: Sequence[str] | None = None, seed: int = 0) -> list[Listed]:
    """The pictures in `folder`, or in its own folders: these are classes, by their names, or all of them in order. All
    are mixed by the `seed`. Without `class_names`, the names of folders say nothing.

    Raises ValueError with one sentence if there are no pictures, or a folder is no class.
    """
    inside = [each for each in visible(folder) if each.is_dir()]
    filled = [(each, files) for each in inside if (files := picture_files(each))]
    known = [None] * len(filled)
    if class_names is not None and filled:
        known = classes_of_folders([each.name for each, _ in filled], class_names)
    found = [(path, None) for path in picture_files(folder)]
    found += [(path, label) for (_, files), label in zip(filled, known, strict=True) for path in files]
    if not found:
        raise ValueError(
            f"{folder} holds no pictures: PNG, JPEG, WebP or BMP files are expected in it, or in one folder per class."
        )
    random.Random(seed).shuffle(found)
    return [Listed(_named(path, folder), lambda path=path: load_image(path), label) for path, label in found]


def _named(path: Path, folder: Path) -> str:
    """Below its folder, as text that can be written: on some systems names hold bytes that are no letters."""
    return path.relative_to(folder).as_posix().encode(errors="replace").decode()


def _batches(images: Sequence[Image]) -> Iterator[Sequence[Image]]:
    for first in range(0, len(images), AT_ONCE):
        yield images[first : first + AT_ONCE]


def _predicted(clf: Classifier, images: Sequence[Image]) -> list[int]:
    twin = read_only_twin(clf)  # who only looks need not wait for an attack
    with exact_arithmetic(clf.device), torch.no_grad(), as_one_sentence():
        return twin(torch.stack([*images]).to(clf.device)).argmax(1).tolist()
