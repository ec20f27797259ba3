"""What a picture's file holds beside its pixels: used where it is valid, passed over where not, never the judge."""

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from explorer.images import SUFFIXES, decoding, fit_pixels, load_image, load_pixels, size_of, to_uint8, with_pixels

ROOT = Path(__file__).parents[1]
SCENE = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8).repeat(8, 0).repeat(8, 1)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(kind: str, pixels: np.ndarray = SCENE, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*extra: bytes, pixels: np.ndarray = SCENE) -> bytes:
    """A PNG file with chunks of one's own before its pixels."""
    content = encoded("PNG", pixels)
    return content[:33] + b"".join(extra) + content[33:]


def deep_png(samples: np.ndarray, bits: int | None) -> bytes:
    """A 16-bit PNG file, grey or RGB, that says how many bits are significant."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    significant = b"" if bits is None else chunk(b"sBIT", bytes([bits] * channels))
    body = chunk(b"IHDR", header) + significant + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bitmap(rgba: np.ndarray) -> bytes:
    """A BMP file of 32 bits with a mask for alpha, as Windows' own programs write it."""
    height, width = rgba.shape[:2]
    pixels = rgba[::-1, :, [2, 1, 0, 3]].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks
    header = header.ljust(108, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(pixels), 0, 0, 14 + 108) + header + pixels


def exchanged(name: bytes = b"Odd") -> bytes:
    """An ICC profile in which red and blue are exchanged: sRGB's, whose table names the one as the other."""
    profile = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), name.ljust(4).decode().encode("utf-16-be")).replace(
        b"sRGB", name.ljust(4)
    )


PACKED = zlib.compress(bytes(2 * 2**20))
PASSED_OVER = {
    "two megabytes of packed text": chunk(b"zTXt", b"Comment\0\0" + PACKED),
    "packed international text": chunk(b"iTXt", b"Comment\0\1\0\0\0" + PACKED),
    "a bomb of text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(40 * 2**20))),
    "a profile of 1.5 MB": chunk(b"iCCP", b"Large\0\0" + zlib.compress(SRGB + bytes(1_500_000))),
    "a bomb of a profile": chunk(b"iCCP", b"Large\0\0" + zlib.compress(bytes(40 * 2**20))),
    "a broken profile": chunk(b"iCCP", b"Broken\0\0" + zlib.compress(b"no profile at all" * 99)),
    "a profile that does not unpack": chunk(b"iCCP", b"Broken\0\0" + b"garbage"),
    "a profile without a name": chunk(b"iCCP", b""),
    "text with a wrong checksum": chunk(b"tEXt", b"Comment\0hello")[:-1] + b"?",
    "text without end": chunk(b"tEXt", b""),
    "garbage for Exif": chunk(b"eXIf", b"MM\0*" + bytes(range(200))),
    "no Exif at all": chunk(b"eXIf", b"nonsense"),
    "an unknown private chunk": chunk(b"prVt", bytes(10**6)),
    "a time that never was": chunk(b"tIME", b"\xff"),
    "a wrong resolution": chunk(b"pHYs", b"\x01"),
}


@pytest.mark.parametrize("extra", PASSED_OVER.values(), ids=PASSED_OVER)
def test_an_ancillary_part_of_a_png_does_not_decide_over_it(extra):
    assert np.array_equal(load_pixels(png(extra)), SCENE)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0" + b"\xff" * 300, b"Exif\0\0MM\0*" + bytes(999)])
def test_a_camera_that_writes_garbage_turns_nothing(kind, exif):
    options = {"quality": 100, "lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0}
    plain, garbage = (load_pixels(encoded(kind, **options, **more)) for more in ({}, {"exif": exif}))
    assert np.array_equal(garbage, plain)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_valid_exif_still_turns_the_picture(kind):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    assert load_pixels(encoded(kind, exif=exif)).shape == (32, 24, 3)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_values_that_were_stored_as_they_came_use_the_range_of_their_significant_bits(bits, channels):
    shape = (4, 4) if channels == 1 else (4, 4, channels)
    samples = np.linspace(0, 2**bits - 1, 16).astype(np.uint16).reshape(4, 4)
    samples = samples if channels == 1 else np.stack([samples] * channels, -1).reshape(shape)
    if channels == 4:
        samples[..., 3] = 2**bits - 1
    seen = load_pixels(deep_png(samples, bits))
    wanted = np.rint(samples[..., :3] / (2**bits - 1) * 255) if channels > 1 else np.rint(samples / (2**bits - 1) * 255)
    assert np.abs(seen.astype(float) - (wanted if channels > 1 else wanted[..., None])).max() <= 1


@pytest.mark.parametrize("bits", [None, 12, 16])
def test_values_of_the_full_range_are_scaled_as_such_whatever_is_significant(bits):
    samples = np.linspace(0, 65535, 16).astype(np.uint16).reshape(4, 4)
    assert np.abs(load_pixels(deep_png(samples, bits))[..., 0] - samples / 257).max() <= 1


def test_a_dark_picture_that_says_nothing_is_dark():
    assert load_pixels(deep_png(np.full((4, 4), 4095, np.uint16), None)).max() == 16


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_colours_are_what_the_profile_says(kind):
    seen = load_pixels(encoded(kind, icc_profile=exchanged(), **({"lossless": True} if kind == "WEBP" else {})))
    assert np.abs(seen.astype(int) - SCENE[..., ::-1]).max() <= 2


@pytest.mark.parametrize("profile", [SRGB, b"", SRGB[:200], b"garbage" * 99], ids=["sRGB", "none", "cut off", "broken"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_profile_that_is_srgb_or_broken_changes_nothing(kind, profile):
    content = encoded(kind, icc_profile=profile, **({"lossless": True} if kind == "WEBP" else {}))
    assert np.array_equal(load_pixels(content), SCENE)


def test_a_profile_for_other_channels_changes_nothing():
    grey = SCENE[..., 0].copy()
    seen = load_pixels(encoded("PNG", grey, icc_profile=SRGB))
    assert np.array_equal(seen, grey[..., None].repeat(3, 2))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert np.array_equal(load_pixels(encoded("PNG", icc_profile=lab)), SCENE)


def test_an_alpha_that_nobody_has_filled_in_is_opaque_in_a_bitmap():
    empty = np.dstack([SCENE, np.zeros(SCENE.shape[:2], np.uint8)])
    assert np.array_equal(load_pixels(bitmap(empty)), SCENE)
    assert (load_pixels(encoded("PNG", empty)) == 255).all(), "there, it is meant"
    empty[0, 0, 3] = 255
    assert np.array_equal(load_pixels(bitmap(empty))[0, 0], SCENE[0, 0])
    assert (load_pixels(bitmap(empty))[1:] == 255).all()


def test_the_names_of_all_files_that_can_be_read_are_known():
    assert {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp"} <= set(SUFFIXES)


MEASURE = """
import sys
from pathlib import Path
from explorer import images

def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))

for file, load in zip(sys.argv[1::2], sys.argv[2::2]):
    content = Path(file).read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = peak()
    getattr(images, load)(content)
    print((peak() - before) // 1000)
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="measures the peak of the memory there")
def test_a_small_file_of_many_pixels_takes_little_memory(tmp_path):
    arguments = []
    for mode in ("P", "RGB", "RGBA", "I;16"):
        Pillow.new(mode, (5000, 5000)).save(tmp_path / f"{mode}.png", compress_level=1)
        arguments += [tmp_path / f"{mode}.png", "load_pixels"]
    command = [sys.executable, "-c", MEASURE, *arguments, tmp_path / "RGB.png", "load_image"]
    end = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *pixels, image = map(int, end.stdout.split())
    assert max(pixels) < 420  # with transparency; all pictures are decoded one after the other
    assert image < 560


def test_pictures_are_decoded_one_at_a_time(monkeypatch):
    inside, most = [], []
    decoded = decoding._decoded

    def watched(content: bytes, behind: str) -> np.ndarray:
        inside.append(content)
        most.append(len(inside))
        try:
            return decoded(content, behind)
        finally:
            inside.pop()

    monkeypatch.setattr(decoding, "_decoded", watched)
    threads = [threading.Thread(target=load_pixels, args=[encoded("PNG")]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 16
    assert max(most) == 1


def test_an_array_is_fitted_as_its_picture_is():
    content = encoded("PNG")
    pixels = fit_pixels(load_pixels(content), (10, 10))
    assert pixels.shape == (10, 10, 3)
    assert np.array_equal(to_uint8(load_image(content)), SCENE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_known_before_anything_is_decoded(orientation, monkeypatch):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = encoded("JPEG", exif=exif.tobytes())
    expected = load_pixels(content).shape[:2]
    monkeypatch.setattr(decoding, "_decoded", lambda *_: pytest.fail("it was decoded"))
    assert size_of(content) == expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_size_costs_no_pixels(kind, monkeypatch):
    content = encoded(kind)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("all of it was decoded"))
    assert size_of(content) == SCENE.shape[:2]


def test_what_is_made_of_a_picture_is_made_before_the_next_one_is_decoded(monkeypatch):
    held, most = [], []
    decoded = decoding._decoded

    def counted(content: bytes, behind: str) -> np.ndarray:
        held.append(1)
        most.append(len(held))
        return decoded(content, behind)

    def use(pixels: np.ndarray) -> int:
        held.pop()
        return int(pixels.sum())

    monkeypatch.setattr(decoding, "_decoded", counted)
    threads = [threading.Thread(target=with_pixels, args=[encoded("PNG"), use]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 16
