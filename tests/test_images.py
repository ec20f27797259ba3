"""Pictures as files: every odd but honest file is shown properly, every bad one refused in one sentence."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow

from explorer import images
from explorer.images import enlarge, fit, from_uint8, load_image, overlay, to_png, to_uint8
from explorer.palette import LOOKS
from explorer.types import PixelLabel

PIXELS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))


def encoded(picture: Pillow.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def scene(mode: str = "RGB") -> Pillow.Image:
    """A small picture in which no two corners look the same."""
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (3, 4, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return Pillow.fromarray(smooth).convert(mode)


def png_with_header(width: int, height: int) -> bytes:
    """A tiny PNG file that claims to be of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@given(PIXELS)
def test_png_gives_back_exactly_what_was_saved(pixels):
    image = from_uint8(pixels)
    assert image.dtype == torch.float32
    assert torch.equal(load_image(to_png(image)), image)
    assert np.array_equal(to_uint8(image), pixels)


@given(PIXELS, st.integers(1, 20), st.integers(1, 20))
def test_fit_gives_the_size_asked_for_and_stays_on_the_grid(pixels, height, width):
    image = from_uint8(pixels)
    fitted = fit(image, (height, width))
    assert fitted.shape == (3, height, width)
    assert torch.equal(fitted, (fitted * 255).round() / 255)
    assert image.min() <= fitted.min()
    assert fitted.max() <= image.max()
    if (height, width) == image.shape[1:]:
        assert torch.equal(fitted, image)


def test_fit_keeps_the_middle():
    image = torch.zeros(3, 10, 30)
    image[:, :, 10:20] = 1
    assert fit(image, (5, 5)).min() == 1
    assert fit(image.transpose(1, 2), (20, 20)).min() == 1


@given(PIXELS, st.integers(1, 4))
def test_enlarging_repeats_every_pixel(pixels, factor):
    image = from_uint8(pixels)
    large = enlarge(image, factor)
    assert torch.equal(large[:, ::factor, ::factor], image)
    assert large.shape[1:] == (pixels.shape[0] * factor, pixels.shape[1] * factor)


HONEST = {
    "png": encoded(scene(), "PNG"),
    "bmp": encoded(scene(), "BMP"),
    "webp": encoded(scene(), "WEBP", lossless=True),
    "jpeg": encoded(scene(), "JPEG", quality=100, subsampling=0),
    "palette": encoded(scene().quantize(64), "PNG"),
    "opaque alpha": encoded(scene("RGBA"), "PNG"),
    "cmyk": encoded(scene("CMYK"), "JPEG", quality=100, subsampling=0),
    "animated png": encoded(scene(), "PNG", save_all=True, append_images=[Pillow.new("RGB", (32, 24))]),
    "animated webp": encoded(
        scene(), "WEBP", lossless=True, save_all=True, append_images=[Pillow.new("RGB", (32, 24))]
    ),
}


@pytest.mark.parametrize("content", HONEST.values(), ids=HONEST)
def test_honest_files_show_the_scene(content):
    image = load_image(content)
    assert image.shape == (3, 24, 32)
    assert torch.equal(image, (image * 255).round() / 255)
    assert np.abs(to_uint8(image).astype(int) - np.asarray(scene()).astype(int)).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_its_camera_says(orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    image = load_image(encoded(scene(), "PNG", exif=exif))
    upright = np.asarray(scene())
    if orientation >= 5:
        upright = upright.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    assert np.array_equal(to_uint8(image), np.flip(upright, flips) if flips else upright)


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
def test_grey_pictures_use_their_full_range(mode):
    ramp = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    picture = Pillow.fromarray(ramp) if mode == "I;16" else Pillow.fromarray((ramp // 257).astype(np.uint8))
    image = load_image(encoded(picture if mode == "I;16" else picture.convert(mode), "PNG"))
    assert image.shape == (3, 8, 8)
    assert (image.min(), image.max()) == (0, 1)
    assert torch.equal(image[0], image[2])
    if mode != "1":
        assert np.abs(to_uint8(image)[..., 0] - ramp / 257).max() <= 1


def test_transparency_lies_on_white():
    half_red = Pillow.new("RGBA", (2, 1), (255, 0, 0, 128))
    half_red.putpixel((1, 0), (0, 0, 0, 0))
    assert to_uint8(load_image(encoded(half_red, "PNG"))).tolist() == [[[255, 127, 127], [255, 255, 255]]]


def test_paths_and_open_files_are_read_alike(tmp_path):
    path = tmp_path / "scene.png"
    path.write_bytes(HONEST["png"])
    expected = load_image(HONEST["png"])
    assert torch.equal(load_image(path), expected)
    assert torch.equal(load_image(str(path)), expected)
    with path.open("rb") as file:
        for _ in range(2):  # also when it was read before
            assert torch.equal(load_image(file), expected)


BAD = {
    "empty": (b"", "empty"),
    "text": (b"hello, world", "cannot be read as a picture"),
    "renamed gif": (encoded(scene(), "GIF"), "cannot be read as a picture"),
    "renamed tiff": (encoded(scene(), "TIFF"), "cannot be read as a picture"),
    "bomb": (png_with_header(60_000, 60_000), "too large"),
    "bomb below Pillow's own limit": (png_with_header(8_000, 8_000), "too large: 8,000 × 8,000 pixels"),
    "bomb between the two": (png_with_header(11_000, 11_000), "too large"),
    "header only": (HONEST["png"][:40], "cannot be read as a picture"),
    "truncated png": (HONEST["png"][:120], "damaged or incomplete"),
    "truncated jpeg": (HONEST["jpeg"][:-40], "damaged or incomplete"),
    "truncated webp": (HONEST["webp"][:-20], "damaged or incomplete|cannot be read"),
    "truncated bmp": (HONEST["bmp"][:-20], "damaged or incomplete"),
    "false size": (png_with_header(64, 64), "damaged or incomplete"),
}


@pytest.mark.parametrize(("content", "says"), BAD.values(), ids=BAD)
def test_bad_files_are_refused_in_one_sentence(content, says):
    with pytest.raises(ValueError, match=says) as caught:
        load_image(content)
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).endswith(".")


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match=r"no-such-file\.png cannot be read"):
        load_image("no-such-file.png")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(HONEST)), st.data())
def test_a_damaged_file_never_does_worse_than_a_sentence(name, data):
    content = bytearray(HONEST[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = load_image(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except ValueError:
        return
    assert image.shape[0] == 3
    assert 0 <= image.min() <= image.max() <= 1


def test_a_bomb_is_refused_before_it_unfolds(monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 24 * 32 - 1)
    monkeypatch.setattr(Pillow.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match="too large"):
        load_image(HONEST["png"])


def label(row: int, col: int, kind: str, weak: bool = False) -> PixelLabel:
    return PixelLabel(row, col, (0, 0, 0), (255, 255, 255), 1.0, 0.5, kind, weak, 1.0, 0.5, kind)


def test_the_overlay_marks_each_kind_in_its_colour_and_weak_ones_hollow():
    grey = torch.full((3, 64, 64), 128 / 255)
    marks = [label(10, 20, "obscuring"), label(40, 50, "leading"), label(50, 10, "leading", weak=True)]
    picture = to_uint8(overlay(grey, marks))
    factor = picture.shape[0] // 64
    assert picture.shape[0] >= images.OVERLAY_SIDE
    centres = [tuple(picture[int((m.row + 0.5) * factor), int((m.col + 0.5) * factor)]) for m in marks]
    assert centres == [LOOKS["obscuring"].rgb, LOOKS["leading"].rgb, (128, 128, 128)]
    assert (picture[0, 0] == 128).all()


def test_loading_leaves_the_warning_filters_alone():
    before = list(warnings.filters)
    load_image(HONEST["png"])
    assert warnings.filters == before
