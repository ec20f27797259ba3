"""Where pictures to attack come from."""

from explorer.samples.gallery import find_sample, gallery

__all__ = ["find_sample", "gallery"]
