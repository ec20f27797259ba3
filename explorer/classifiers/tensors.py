"""Tensors out of a safetensors file that nobody vouches for. Nothing in it is ever run, and nothing is allocated on its
word alone: names, types, shapes and places are checked against the file's length first.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

MAX_BYTES = 600 * 10**6
MAX_HEADER = 10 * 10**6  # bytes; a large network's has about 200,000
NAMED = 3  # names that a sentence gives at most

_PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how they begin, in a ZIP archive or not
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def read_tensors(source: bytes | Path, expected: Mapping[str, Tensor], max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """The tensors of a file or of its content, if they are those of `expected`: these names, these shapes.

    Floating-point numbers come as float32. Counters of batch normalisation (num_batches_tracked) may be missing. Raises
    ValueError with one sentence if it is no safetensors file, does not fit, or holds NaN or infinity.
    """
    content = _content(source, max_bytes)
    header = _header(content)
    expected = {
        name: tensor for name, tensor in expected.items() if name in header or not name.endswith("num_batches_tracked")
    }
    _fits(header, expected)
    try:
        found = load(content)
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise ValueError(f"The file is no valid safetensors file: {error}.") from error
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in found.items()}
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ValueError(f"{_some(broken)} {'hold' if len(broken) > 1 else 'holds'} NaN or infinity.")
    return tensors


def _content(source: bytes | Path, max_bytes: int) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > max_bytes:
        raise ValueError(f"The file has {size / 1e6:,.0f} MB; at most {max_bytes / 1e6:,.0f} are read.")
    return source if isinstance(source, bytes) else source.read_bytes()


def _header(content: bytes) -> dict[str, dict[str, Any]]:
    """What the file says of each tensor, checked: dtype, shape, data_offsets. Together they cover the file exactly."""
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(MAX_HEADER, len(content) - 8) or content[8:9] != b"{":
        if content[:2] in _PICKLES:
            raise ValueError("The file is a pickle, as torch.save writes, which can run code: safetensors is expected.")
        raise ValueError("The file is no safetensors file, or it breaks off.")
    try:
        header = json.loads(content[8 : 8 + length].decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of a name that comes twice
        raise ValueError("The file's list of tensors cannot be read: it is no safetensors file, or damaged.") from error
    header.pop("__metadata__", None)
    place = 0
    for name, entry in sorted(header.items(), key=lambda item: _start(item[1])):
        size = _size(entry)
        if size is None or entry["data_offsets"] != [place, place + size]:
            raise ValueError(f"The file's list of tensors is wrong about {name[:80]!r}: its type, shape or place.")
        place += size
    if place != len(content) - 8 - length:
        raise ValueError(
            f"The file's tensors take {place:,} bytes, but it holds {len(content) - 8 - length:,}: it breaks off, or "
            "has something else in it."
        )
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _start(entry: Any) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return offsets[0] if isinstance(offsets, list) and offsets and type(offsets[0]) is int else -1


def _size(entry: Any) -> int | None:
    """Bytes that the tensor takes; None if its entry makes no sense."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return None
    shape = entry["shape"]
    if entry["dtype"] not in _BYTES or not isinstance(shape, list) or len(shape) > 8:
        return None
    if not all(type(side) is int and 0 <= side < 2**40 for side in shape):
        return None
    return prod(shape) * _BYTES[entry["dtype"]]


def _fits(header: Mapping[str, dict[str, Any]], expected: Mapping[str, Tensor]) -> None:
    """A readable report of everything that does not fit, as one sentence."""
    missing = [name for name in expected if name not in header]
    strange = [name[:80] for name in header if name not in expected]
    wrong = [
        f"{name} is {entry['dtype']} {entry['shape']} instead of {'F' if tensor.is_floating_point() else 'I'} "
        f"{list(tensor.shape)}"
        for name, tensor in expected.items()
        if (entry := header.get(name)) is not None
        and (entry["shape"] != list(tensor.shape) or ("F" in entry["dtype"]) != tensor.is_floating_point())
    ]
    report = [
        f"{len(names):,} {what} ({_some(names)})"
        for what, names in (("missing", missing), ("unexpected", strange), ("of another shape or type", wrong))
        if names
    ]
    if report:
        raise ValueError(f"The tensors do not fit the architecture: {'; '.join(report)}.")


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
