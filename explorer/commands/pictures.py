"""The pictures that a command works on: one by name or file, or many with their classes."""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from explorer import user_code
from explorer.adapter import as_it_takes
from explorer.attacks import Attack
from explorer.classifiers.class_names import classes_of_folders
from explorer.classifiers.python import count_classes, device_of
from explorer.commands import options
from explorer.exact import exact_arithmetic
from explorer.folders import visible
from explorer.grid import check_values, to_grid
from explorer.images import fit, fit_pixels, from_uint8, load_pixels, other_pictures, picture_files
from explorer.pipeline import one_line
from explorer.samples import DATA_SETS, EVERY, find_sample, sources
from explorer.types import Flags, Images, Labels, Sample

CHUNK = 100  # pictures that are read or rendered at a time
PATIENCE = 10  # pictures that are tried for every one that is wanted, where there is no end of them

NAMED = 3  # files, of more that are not read

Chunk = tuple[Images, Labels]


def find_picture(name: str) -> Sample:
    """The sign, photograph or CIFAR-10 picture of this name, else the file. What lies in the working folder, where the
    results may go, changes the meaning of no name. ValueError, one sentence, if there is none.
    """
    path = Path(name)
    a_path = path.suffix or path.name != name
    try:
        if not a_path:
            return find_sample(name)
    except ValueError:
        if not path.exists():
            raise
    return Sample(path.name, from_uint8(_read(path)), caption=str(path))


def tell_others(folder: Path) -> None:
    """Which pictures in a folder, and in its own folders, are of kinds that are not read."""
    inside = [each for each in visible(folder) if each.is_dir()]
    if others := [path for each in (folder, *inside) for path in other_pictures(each)]:
        named = ", ".join(one_line(path.relative_to(folder).as_posix()) for path in others[:NAMED])
        more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
        print(f"Only PNG, JPEG, WebP and BMP files are read, not {named}{more}.", file=sys.stderr)


def add_arguments(
    parser: argparse.ArgumentParser, default: str, batch: int | None = 50, n: int = 100, correct: bool = True
) -> None:
    """The options that choose many pictures; a `batch` of None is what fits the memory. `correct`: only pictures that
    the network classifies correctly are used.
    """
    parser.add_argument(
        "--pictures",
        default=default,
        metavar="SOURCE",
        help=f"{named_sources()}; a folder that holds one folder of pictures per class, named like the classes or "
        "sorted in their order; or FILE.py:FUNCTION: a "
        "function of your own that returns images (n, 3, h, w) in [0, 1] and labels (n,) as tensors "
        f"(default: {default})",
    )
    add_data_argument(parser)
    which = "correctly classified pictures" if correct else "pictures"
    parser.add_argument("--n", type=options.whole, default=n, help=f"{which}, at most (default: {n})")
    parser.add_argument(
        "--batch",
        type=options.whole,
        default=batch,
        help=f"pictures attacked at a time (default: {batch or 'as many as fit the memory'})",
    )


def named_sources() -> str:
    """What --pictures takes by name."""
    return "; ".join(f"{name}: {source.help}" for name, source in sources().items())


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Where pictures in files lie."""
    of = [each for each in DATA_SETS.values() if each.variable]
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help=f"where {' or '.join(each.title for each in of)} lies: torchvision's files, or a folder of pictures per "
        f"class (default: the folder that {' or '.join(each.variable for each in of)} names, else the one that the "
        "page downloads to)",
    )


def correctly_classified(network: nn.Module, source: str, n: int, seed: int, data: Path | None = None) -> Chunk:
    """The first `n` pictures of `source` that the network classifies correctly, or as many as there are.

    `data` is where the pictures of the source lie, if they are files.

    Raises ValueError with one sentence if the pictures do not suit the network, or none is classified correctly.
    """
    device = device_of(network)
    images, labels, found = [], [], 0
    for chunk, classes in _checked_chunks(source, network, n, seed, data):
        with exact_arithmetic(device), torch.no_grad():
            given = chunk.to(device, copy=True)  # a network may write into it
            right = network(given).argmax(1).cpu() == classes
        images.append(chunk[right])
        labels.append(classes[right])
        found += int(right.sum())
        if found >= n:
            break
    if not found:
        raise ValueError(f"The network classifies no picture of {source} correctly.")
    return torch.cat(images)[:n].to(device), torch.cat(labels)[:n].to(device)


def labelled(network: nn.Module, source: str, n: int, seed: int, data: Path | None = None) -> Chunk:
    """The first `n` pictures of `source`, or as many as there are, whatever the network sees in them. ValueError as
    above.
    """
    images, labels = [], []
    for chunk, classes in _checked_chunks(source, network, n, seed, data):
        images.append(chunk)
        labels.append(classes)
        if sum(map(len, images)) >= n:
            break
    return torch.cat(images)[:n], torch.cat(labels)[:n]


def _checked_chunks(source: str, network: nn.Module, n: int, seed: int, data: Path | None) -> Iterator[Chunk]:
    """The pictures of `source`, whose classes are all known to the network."""
    if n < 1 or seed < 0:
        raise ValueError(f"--n must be at least 1 and --seed at least 0; got {n} and {seed}.")
    for given, classes in _chunks(source, network, n, seed, data):
        chunk = as_it_takes(network, given)
        n_classes = count_classes(network, tuple(chunk.shape[2:]))
        if classes.min() < 0 or classes.max() >= n_classes:
            raise ValueError(f"{source} has class {int(classes.max())}; the network knows 0 to {n_classes - 1}.")
        yield chunk, classes


def attacked(network: nn.Module, attack: Attack, images: Images, labels: Labels, batch: int) -> tuple[Images, Flags]:
    """Attack the pictures, `batch` at a time: the attacked ones, and which of them fool the network."""
    parts = list(zip(images.split(batch), labels.split(batch), strict=True))
    results = [attack(network, *part) for part in tqdm(parts, desc="attack", disable=None, leave=False)]
    return torch.cat([each.adversarial for each in results]), torch.cat([each.succeeded for each in results])


def _chunks(source: str, network: nn.Module, n: int, seed: int, data: Path | None) -> Iterator[Chunk]:
    if source in sources():
        return _named(source, network, n, seed, data)
    if user_code.is_code(source):
        images, labels = own_pictures(source)
        return zip(images.split(CHUNK), labels.split(CHUNK), strict=True)
    return _folder(Path(source), getattr(network, "class_names", None), getattr(network, "input_size", None), seed)


def _named(name: str, network: nn.Module, n: int, seed: int, data: Path | None) -> Iterator[Chunk]:
    """Those of a data set, in the size that the network says it takes, or in their own."""
    source = sources()[name]
    of = DATA_SETS[source.dataset]
    size = getattr(network, "input_size", None) or of.input_size
    n_classes = count_classes(network, size)
    if n_classes != len(of.classes):
        raise ValueError(
            f"There are {len(of.classes):,} classes of {of.title}, but {n_classes:,} of the network: see --pictures."
        )
    listed = source.listed(PATIENCE * max(n, CHUNK) if source.endless else EVERY, seed, data)
    for first in range(0, len(listed), CHUNK):
        some = listed[first : first + CHUNK]
        yield torch.stack([fit(each.read(), size) for each in some]), torch.tensor([each.label for each in some])


def own_pictures(source: str) -> Chunk:
    """What one's own function returns, on the grid, as every attack sees it. Raises ValueError with one sentence."""
    returned = user_code.call(source)
    try:
        images, labels = (torch.as_tensor(each) for each in returned)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{source} must return two tensors, images and labels.") from None
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point() or not len(images):
        raise ValueError(
            f"{source} must return floating-point images (n, 3, h, w); got {images.dtype} {tuple(images.shape)}."
        )
    if labels.shape != images.shape[:1] or labels.is_floating_point():
        raise ValueError(f"{source} must return integer labels ({len(images)},); got {tuple(labels.shape)}.")
    check_values(f"images of {source}", images)
    return to_grid(images), labels.long()  # what is classified correctly is what will be attacked


def _folder(folder: Path, class_names: list[str] | None, size: tuple[int, int] | None, seed: int) -> Iterator[Chunk]:
    names = [each.name for each in visible(folder) if each.is_dir()]
    classes = classes_of_folders(names, class_names)
    files = [(path, label) for name, label in zip(names, classes, strict=True) for path in picture_files(folder / name)]
    if not files:
        raise ValueError(f"{folder} holds no pictures: a folder of PNG, JPEG, WebP or BMP files per class is expected.")
    random.Random(seed).shuffle(files)
    size = size or _read(files[0][0]).shape[:2]
    for first in range(0, len(files), CHUNK):
        some = files[first : first + CHUNK]
        images = [from_uint8(fit_pixels(_read(path), size)) for path, _ in some]
        yield torch.stack(images), torch.tensor([label for _, label in some])


def _read(path: Path) -> np.ndarray:
    try:
        return load_pixels(path)
    except ValueError as error:
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
