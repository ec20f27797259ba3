"""What of a PNG file decides over its pixels, apart from all else that is written into it.

Text, times, thumbnails and profiles are ancillary by the standard: a decoder that does not need them may skip them.
They may also be large, packed tightly, or damaged, which must not decide whether the picture can be read.
"""

import struct
import zlib
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 2**20  # bytes
MAX_PROFILE = 4 * 2**20  # bytes, unpacked; large ones for printing have about 2 MB

_AFTER_HEADER = 33  # bytes of the signature and of the first chunk, IHDR
_SHOWN = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


@dataclass(frozen=True)
class Parts:
    """A PNG file taken apart. What is not there, or not readable, is empty."""

    shown: bytes  # a PNG file of the pixels alone: the first frame of an animation
    exif: bytes = b""
    profile: bytes = b""  # ICC
    significant: tuple[int, ...] = ()  # bits of each channel that the samples had before they were stored

    @property
    def unscaled_colour(self) -> bool:
        """Whether there are 16 bits in each of several channels, of which fewer are significant."""
        depth, colour_type = self.shown[24:26]
        return depth == 16 and colour_type != 0 and 0 < max(self.significant, default=16) < 16


def take_apart(content: bytes) -> Parts:
    """The parts of a PNG file. Where its chunks make no sense, the rest is left in `shown`: the decoder judges it."""
    view, shown, extra = memoryview(content), [SIGNATURE], {}
    place = len(SIGNATURE)
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place) if place + 8 <= len(content) else (2**32, b"")
        end = place + 12 + length
        if end > len(content):
            shown.append(view[place:])
            break
        if kind in _SHOWN:
            shown.append(view[place:end])
        elif struct.unpack_from(">I", content, end - 4)[0] == zlib.crc32(view[place + 4 : end - 4]):
            extra.setdefault(kind, bytes(view[place + 8 : end - 4]))
        place = end
        if kind == b"IEND":
            break
    return Parts(
        b"".join(shown), extra.get(b"eXIf", b""), _profile(extra.get(b"iCCP", b"")), tuple(extra.get(b"sBIT", b""))
    )


def with_text(content: bytes, keyword: str, text: str) -> bytes:
    """The PNG file with this ASCII text in it, uncompressed."""
    body = b"tEXt" + keyword.encode("ascii") + b"\0" + text.encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:_AFTER_HEADER] + chunk + content[_AFTER_HEADER:]


def text_of(content: bytes, keyword: str) -> str | None:
    """The text of this keyword that `with_text` has put right behind the header; None if there is none. Nothing is
    unpacked. Raises ValueError if it is there and damaged.
    """
    start = b"tEXt" + keyword.encode("ascii") + b"\0"
    place = _AFTER_HEADER + 4
    if not content.startswith(SIGNATURE) or content[place : place + len(start)] != start:
        return None
    (length,) = struct.unpack_from(">I", content, _AFTER_HEADER)
    end = place + 4 + length
    body, crc = content[place:end], content[end : end + 4]
    if length > MAX_TEXT or len(crc) < 4 or struct.unpack(">I", crc)[0] != zlib.crc32(body):
        raise ValueError("The text in the PNG file is damaged.")
    return body[len(start) :].decode("latin-1")


def _profile(chunk: bytes) -> bytes:
    """The ICC profile of an iCCP chunk: name, NUL, method 0, packed profile."""
    _, _, packed = chunk.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if unpacking.eof else b""
