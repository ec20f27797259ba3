"""New road signs, as many as one likes: each is rendered from the number in its name, so a link can hold it."""

from functools import lru_cache

from explorer.images import from_uint8
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.types import Sample

PREFIX = "sign-"
MOST = 100_000
FIRST_SEED = 1_800_000_000  # of scenes that no network has been trained or measured on
SIDE = 64  # pixels


def new_sign(number: int) -> Sample:
    """The sign of this number, from 1 to MOST; the classes come in turn. Treat its picture as read-only."""
    if not 1 <= number <= MOST:
        raise ValueError(f"New signs are numbered from 1 to {MOST:,}; got {number}.")
    return _rendered(number)


def find_new_sign(name: str) -> Sample | None:
    """The sign of this name, such as "sign-7"; None if there is none."""
    digits = name.removeprefix(PREFIX)
    known = name.startswith(PREFIX) and digits.isascii() and digits.isdecimal() and digits[0] != "0"
    return new_sign(int(digits)) if known and len(digits) < 7 and int(digits) <= MOST else None


@lru_cache(maxsize=512)
def _rendered(number: int) -> Sample:
    label, seed = (number - 1) % len(CLASS_NAMES), FIRST_SEED + number
    image = from_uint8(render(label, Scene.sample(seed), SIDE))
    caption = f"{CLASS_NAMES[label]} sign, new sign {number:,}"
    return Sample(f"{PREFIX}{number}", image, label, caption, {"seed": seed}, "signs")
