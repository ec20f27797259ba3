"""Tensors out of a safetensors file that nobody vouches for. Nothing in it is ever run, and nothing is allocated on its
word alone: safetensors itself checks names, types, shapes and places against the file's length first.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

MAX_BYTES = 600 * 10**6
MAX_HEADER = 10 * 10**6  # bytes; a large network's has about 200,000

_PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how they begin, in a ZIP archive or not
_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_TYPES = (*_FLOATS, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


def read_tensors(source: bytes | Path, max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """The tensors of a file, or of its content, by their names. Floating-point numbers come as float32.

    Raises ValueError with one sentence if it is no safetensors file, is too large, or holds what no weights are.
    """
    content = _content(source, max_bytes)
    # What safetensors does not do: it reads headers of up to 100 MB, takes a pickle for any other noise, and knows
    # types of numbers that no network here computes with.
    length = int.from_bytes(content[:8], "little")
    if content[:2] in _PICKLES and content[8:9] != b"{":
        raise ValueError("The file is a pickle, as torch.save writes, which can run code: safetensors is expected.")
    if length > MAX_HEADER:
        raise ValueError("The file is no safetensors file: its list of tensors would be larger than any network's.")
    try:
        found = load(content)
    except (SafetensorError, ValueError, RuntimeError, KeyError, AssertionError) as error:
        reason = " ".join(str(error).rpartition("deserializing: ")[2].split())[:120]
        raise ValueError(f"The file is no safetensors file, or it breaks off ({reason}).") from error
    strange = next((tensor.dtype for tensor in found.values() if tensor.dtype not in _TYPES), None)
    if strange is not None:
        raise ValueError(f"The file holds numbers of type {strange}: floating-point numbers or integers are expected.")
    return {name: tensor.float() if tensor.dtype in _FLOATS else tensor for name, tensor in found.items()}


def _content(source: bytes | Path, max_bytes: int) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > max_bytes:
        raise ValueError(f"The file has {size / 1e6:,.0f} MB; at most {max_bytes / 1e6:,.0f} are read.")
    return source if isinstance(source, bytes) else source.read_bytes()
