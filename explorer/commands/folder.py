"""Every picture of a folder, attacked one after another."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from explorer import user_code
from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.classifiers.class_names import find_class, plain_name
from explorer.commands import methods, networks, regions
from explorer.commands.pictures import tell_others
from explorer.folders import visible
from explorer.hashes import files_sha256
from explorer.images import from_uint8, load_pixels, picture_files
from explorer.pipeline import TABLE, Collection, Picture, one_line, summary
from explorer.samples import find_sample
from explorer.types import Image, Sample, Step

NOT_FOOLED, BAD = 3, 2


def named(name: str) -> Path | None:
    """The folder that `name` means, if it means one: the name of a sample comes first."""
    path = Path(name)
    if not path.is_dir():
        return None
    if not (path.suffix or path.name != name):
        with suppress(ValueError):
            find_sample(name)
            return None
    return path


def attack_folder(args: argparse.Namespace, folder: Path, attack: Attack) -> int:
    """Attack all, print a line for each and one at the end; the exit code."""
    if args.out.resolve() == folder.resolve():
        raise ValueError(f"--out must be another folder than {folder}, whose pictures are attacked.")
    files = _files(folder, args.out)
    tell_others(folder)
    network = networks.load_network(args.model, args.device)
    clf = networks.as_classifier(network, args.model, _first(network, files))
    collection = _collection(args, folder, files, clf, attack)
    try:
        _attack_all(collection)
    except KeyboardInterrupt:
        print(
            f"\nStopped: {len(collection.rows)} of {len(files)} are done. The same command goes on from there.",
            file=sys.stderr,
        )
        raise
    print(_told(collection))
    problems = any(row["problem"] for row in collection.rows)
    return BAD if problems else 0 if all(row["fooled"] for row in collection.rows) else NOT_FOOLED


def _collection(
    args: argparse.Namespace, folder: Path, files: Sequence[Path], clf: Classifier, attack: Attack
) -> Collection:
    label = None if args.label is None else networks.class_index(args.label, clf.class_names)
    target = None if args.target is None else networks.class_index(args.target, clf.class_names)
    pictures = [
        Picture(
            path.relative_to(folder).as_posix(),
            lambda path=path: load_pixels(path),
            _class_of(path.parent.name, clf) if label is None and path.parent != folder else label,
        )
        for path in files
    ]
    method = methods.chosen_method(args.method, clf)
    args.out.mkdir(parents=True, exist_ok=True)
    code = Path(args.model.rpartition(":")[0])
    return Collection(
        pictures,
        clf,
        attack,
        args.out,
        target=target,
        region=lambda original: regions.chosen_region(
            args.region, Sample("a picture of a folder", torch.empty(3, *original, device="meta")), clf
        ),
        method=method,
        paper=args.paper,
        about=files_sha256([code]) if user_code.is_code(args.model) else "",
    )


def _attack_all(collection: Collection) -> None:
    with tqdm(total=len(collection.pictures), desc="attack", unit="picture", disable=None, leave=False) as bar:
        while not collection.finished:
            bar.set_postfix_str(one_line(collection.next_file))

            def on_step(step: Step) -> None:
                bar.n = len(collection.rows) + min(1.0, step.done / max(1, step.total))
                bar.refresh()

            row, again = collection.advance(on_step)
            bar.n = len(collection.rows)
            if row["problem"]:
                tqdm.write(f"{one_line(row['file'])}: {one_line(row['problem'])}", file=sys.stderr)
                continue
            fooled = "fooled" if row["fooled"] else "not fooled"
            tqdm.write(
                f"{one_line(row['file'])}: {one_line(row['before'])} → {one_line(row['after'])}, {fooled}, "
                f"{row['pixels']:,} pixels{', as it was done before' if again else ''}"
            )


def _told(collection: Collection) -> str:
    return f"\n{summary(collection.rows)} Written to {collection.out}: {TABLE}, and a folder for each picture."


def _files(folder: Path, out: Path) -> list[Path]:
    """The pictures in the folder and in its own folders; what was written to `out` is none of them."""
    inside = [each for each in visible(folder) if each.is_dir() and each.resolve() != out.resolve()]
    found = [*picture_files(folder), *(path for each in inside for path in picture_files(each))]
    if not found:
        raise ValueError(f"{folder} holds no pictures: PNG, JPEG, WebP or BMP files are expected in it.")
    return found


def _first(network: nn.Module, files: Sequence[Path]) -> Image:
    """The first picture that can be read: one's own network may take pictures of its size."""
    if isinstance(network, Classifier):
        return torch.empty(3, 1, 1)

    def readable() -> Iterator[Image]:
        for path in files:
            with suppress(ValueError):
                yield from_uint8(load_pixels(path))

    first = next(readable(), None)
    if first is None:
        raise ValueError(f"None of the {len(files)} pictures can be read.")
    return first


def _class_of(folder: str, clf: Classifier) -> int | None:
    """The class that a folder is named like; None if it is no class."""
    return find_class(folder, clf.class_names, plain_name)
