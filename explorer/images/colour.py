"""Colours as a file means them, as sRGB: what screens and networks take all pictures for."""

from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageCms

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # by the profile's colour space


def to_srgb(picture: Pillow.Image, profile: bytes) -> Pillow.Image:
    """A picture of mode L, RGB or CMYK as RGB, by the ICC profile that its file brought along; a profile that is
    broken, belongs to other channels, or is sRGB itself changes nothing.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip(), "")
        if mode == "RGB" and picture.mode == "L":
            picture = picture.convert("RGB")
        if mode == picture.mode and not ImageCms.getProfileDescription(source).startswith("sRGB"):
            relative = ImageCms.Intent.RELATIVE_COLORIMETRIC  # white stays white
            transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", relative)
            return ImageCms.applyTransform(picture, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # what it raises depends on what is broken
        pass
    return picture.convert("RGB")
