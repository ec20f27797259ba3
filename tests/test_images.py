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

from explorer.images import (
    RESIZES,
    Crop,
    decoding,
    enlarge,
    fit,
    framed,
    from_uint8,
    load_image,
    middle,
    shrunk,
    suited_resize,
    to_png,
    to_uint8,
)
from explorer.limits import Limits
from explorer.palette import LOOKS
from explorer.pipeline.overlay import SIDE, overlay
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


SIZES = st.tuples(st.integers(1, 400), st.integers(1, 400))


@given(SIZES, SIZES)
def test_the_crop_is_the_largest_middle_of_the_right_shape(original, size):
    crop = middle(original, size)
    assert 1 <= crop.height <= original[0]
    assert 1 <= crop.width <= original[1]
    assert crop.height == original[0] or crop.width == original[1]
    for place, length, whole in ((crop.top, crop.height, original[0]), (crop.left, crop.width, original[1])):
        assert 0 <= whole - length - 2 * place <= 1
    ideal = min(original[0], original[1] * size[0] / size[1]), min(original[1], original[0] * size[1] / size[0])
    assert abs(crop.height - max(1, ideal[0])) <= 0.5
    assert abs(crop.width - max(1, ideal[1])) <= 0.5


@given(PIXELS, st.integers(1, 20), st.integers(1, 20))
def test_nearest_shows_only_colours_that_are_there(pixels, height, width):
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3)}
    fitted = to_uint8(fit(from_uint8(pixels), (height, width), "nearest"))
    assert {tuple(colour) for colour in fitted.reshape(-1, 3)} <= colours


@given(PIXELS, st.integers(1, 4), st.integers(1, 4))
def test_area_takes_the_mean_of_what_a_pixel_covers(pixels, down, across):
    large = pixels.repeat(down, 0).repeat(across, 1)
    large = large.astype(int) + (np.indices(large.shape[:2]).sum(0)[..., None] % 2) * (255 - large.max())
    small = to_uint8(fit(from_uint8(large), pixels.shape[:2], "area")).astype(float)
    crop = middle(large.shape[:2], pixels.shape[:2])
    if crop.size == large.shape[:2]:
        means = large.reshape(pixels.shape[0], down, pixels.shape[1], across, 3).mean((1, 3))
        assert np.abs(small - means).max() <= 1


@given(PIXELS, st.integers(1, 5))
def test_growing_by_a_whole_number_is_the_same_either_way(pixels, factor):
    image, size = from_uint8(pixels), (pixels.shape[0] * factor, pixels.shape[1] * factor)
    assert all(torch.equal(fit(image, size, resize), enlarge(image, factor)) for resize in RESIZES)


def test_what_suits_loses_least():
    assert suited_resize((512, 512), (64, 64)) == "area"
    assert suited_resize((32, 32), (64, 64)) == "nearest"
    stripes = torch.zeros(3, 64, 64)
    stripes[:, :, ::2] = 1
    assert ((fit(stripes, (32, 32)) - 0.5).abs() < 0.01).all()
    assert set(fit(stripes, (32, 32), "nearest").unique().tolist()) <= {0.0, 1.0}


@given(PIXELS, st.integers(1, 15), st.integers(1, 15), st.integers(4, 40))
def test_the_frame_lies_within_a_picture_of_the_side_asked_for(pixels, height, width, side):
    shown = framed(pixels, middle(pixels.shape[:2], (height, width)), side)
    assert shown.shape == shrunk(pixels, side).shape
    assert max(shown.shape[:2]) == min(side, max(pixels.shape[:2]))


def test_the_frame_leaves_the_crop_as_it_is_and_pales_the_rest():
    shown = framed(np.full((40, 80, 3), 100, np.uint8), Crop(0, 20, 40, 40), 80)
    assert (shown[4:-4, 24:56] == 100).all()
    assert (shown[:, :20] > 200).all()
    assert (shown[0, 20:60] == (91, 79, 199)).all()


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


@pytest.mark.parametrize("source", [None, 3, torch.zeros(3, 4, 4)])
def test_what_is_no_source_of_a_picture_is_one_sentence(source):
    with pytest.raises(ValueError, match=f"a path, bytes or an open file; got {type(source).__name__}"):
        load_image(source)


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


def malformed() -> list[bytes]:
    """200 files that are no usable picture, each for a reason of its own or broken at a place of its own."""
    rng = np.random.default_rng(5)
    bad = [rng.bytes(int(n)) for n in rng.integers(1, 5000, 40)]  # noise
    heads = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\x00\x00\x00WEBP", b"BM", b"GIF89a", b"II*\x00"]
    bad += [head + rng.bytes(int(n)) for head in heads for n in rng.integers(0, 2000, 6)]  # noise that claims to be one
    bad += [png_with_header(int(w), int(h)) for w, h in rng.integers(5_100, 2**31 - 1, (24, 2))]  # bombs
    bad += [png_with_header(int(w), int(h)) for w, h in rng.integers(40, 400, (16, 2))]  # more size than content
    bad += [png_with_header(w, h) for w, h in ((0, 0), (0, 9), (9, 0), (2**31, 1))]
    for name in ("png", "jpeg", "webp", "bmp"):
        content = HONEST[name]
        bad += [content[: int(cut)] for cut in np.linspace(1, 0.75 * len(content), 16).astype(int)]
    for kind in ("GIF", "TIFF", "PPM", "ICO", "TGA", "PDF", "EPS", "DDS"):  # pictures, but none of these
        bad.append(encoded(scene(), kind))
    bad += [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x80\x05cos\nsystem\n.",
        b"PK\x03\x04" + bytes(60),
        b"%PDF-1.7",
    ]
    bad += [b"<script>alert(1)</script>", "kein Bild".encode("utf-16"), bytes(1000), b"\n" * 50]
    return bad


MALFORMED = malformed()


def test_two_hundred_malformed_files_are_each_refused_in_one_sentence():
    assert len(MALFORMED) >= 200
    for number, content in enumerate(MALFORMED):
        with pytest.raises(ValueError, match=r"^The .*\.$") as caught:
            load_image(content)
        assert "\n" not in str(caught.value), number
        assert len(str(caught.value)) < 200


def test_a_bomb_is_refused_before_it_unfolds(monkeypatch):
    file = io.BytesIO()
    Pillow.new("RGB", (1001, 1000)).save(file, "PNG")
    monkeypatch.setattr(decoding, "limits", lambda: Limits(picture_megapixels=1))
    monkeypatch.setattr(Pillow.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match="too large"):
        load_image(file.getvalue())


def label(row: int, col: int, kind: str, weak: bool = False) -> PixelLabel:
    return PixelLabel(row, col, (0, 0, 0), (255, 255, 255), 1.0, 0.5, kind, weak, 1.0, 0.5, kind)


def test_the_overlay_marks_each_kind_in_its_colour_and_weak_ones_hollow():
    grey = torch.full((3, 64, 64), 128 / 255)
    marks = [label(10, 20, "obscuring"), label(40, 50, "leading"), label(50, 10, "leading", weak=True)]
    picture = to_uint8(overlay(grey, marks))
    factor = picture.shape[0] // 64
    assert picture.shape[0] >= SIDE
    centres = [tuple(picture[int((m.row + 0.5) * factor), int((m.col + 0.5) * factor)]) for m in marks]
    assert centres == [LOOKS["obscuring"].rgb, LOOKS["leading"].rgb, (128, 128, 128)]
    assert (picture[0, 0] == 128).all()


def test_loading_leaves_the_warning_filters_alone():
    before = list(warnings.filters)
    load_image(HONEST["png"])
    assert warnings.filters == before
