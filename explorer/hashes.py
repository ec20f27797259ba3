"""Fingerprints by content: the same bytes have the same one, on every device and whatever they are called."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from explorer.grid import levels
from explorer.types import Image


def image_sha256(image: Image) -> str:
    """Fingerprint of a picture, or of several: of the shape and the RGB bytes."""
    pixels = levels(image).cpu().contiguous()
    return hashlib.sha256(str(tuple(pixels.shape)).encode() + pixels.numpy().tobytes()).hexdigest()


def network_sha256(network: nn.Module) -> str:
    """Fingerprint of a network: of its structure and its numbers."""
    digest = hashlib.sha256(repr(network).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def files_sha256(paths: Iterable[Path]) -> str:
    """Fingerprint of what files hold. A file is read again only once its time or its size is another; one that is not
    there has a fingerprint as well.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(_file_sha256(path, stamp(path)))
    return digest.hexdigest()


def rooms_sha256(*rooms: str) -> str:
    """Fingerprint of the program's own code: of these packages and modules, by their names within explorer/."""
    home = Path(__file__).parent
    files = [file for room in rooms for file in (sorted((home / room).rglob("*.py")) or [home / f"{room}.py"])]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def stamp(path: Path) -> tuple[int, int] | None:
    """When a file was written, in nanoseconds, and its size, in bytes. None if it is not there."""
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size


@lru_cache(maxsize=1024)
def _file_sha256(path: Path, _stamp: tuple[int, int] | None) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""
