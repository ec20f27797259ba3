"""What visitors bring along: pictures of their own, small and large, and a small network."""

import io
from functools import cache

from PIL import Image
from safetensors.torch import load, save

from explorer.classifiers.bundled import ASSETS
from tests.load.tab import Tab
from tests.load.visits import PATIENCE, Seen, large_picture, put_file, settled_answer, upload_picture

NETWORK = "signs-cnn"  # whose weights are brought
FULL = "Visitors have uploaded"  # so begins what is said where the server holds too many already
LARGE = 5  # of so many pictures, one has 25 million pixels; the others are as telephones' messages have them
SIDES = (64, 200, 640, 1280)


def brings(number: int) -> str:
    """What the visit of this number brings: every tenth a network, every fourth a picture, the others nothing."""
    return "network" if number % 10 == 9 else "picture" if number % 4 == 3 else ""


async def bring_picture(port: int, number: int) -> Seen:
    """Upload a picture that nobody else has."""
    large = number // 4 % LARGE == LARGE - 1
    return await upload_picture(port, f"{number}.png", large_picture(number) if large else small_picture(number))


async def bring_network(port: int, number: int) -> Seen:
    """Upload weights that nobody else has, and wait for the answer of this network."""
    seen, tab = Seen(), Tab(port, {"network": "upload"})
    try:
        await tab.open()
        await tab.until(lambda tab: tab.idle, PATIENCE)
        uploader = next(each for each in tab.elements("file_uploader") if each.label.startswith("Weights"))
        state = await put_file(tab, f"{number}.safetensors", weights(number))
        for label, value, field in (
            (uploader.label, state, "file_uploader_state_value"),
            ("Architecture", NETWORK, "string_value"),
            ("Classes", "the 18 road signs", "string_value"),
        ):
            await tab.set(label, value, field)
            await tab.until(lambda tab: tab.idle, PATIENCE)
        await tab.set("Use these weights", True, "trigger_value")
        await tab.until(lambda tab: _says(tab, f"{number}.safetensors") or _says(tab, FULL), PATIENCE)
        await settled_answer(tab, seen)
    except (TimeoutError, OSError, LookupError) as error:
        seen.problems[type(error).__name__] += 1
    finally:
        await tab.close()
    return seen


def _says(tab: Tab, file: str) -> bool:
    return any(file in each.body for kind in ("markdown", "alert") for each in tab.elements(kind))


def small_picture(number: int) -> bytes:
    """A PNG of its own for each number, from 64 to 1280 pixels wide."""
    side = SIDES[number // 4 % len(SIDES)]
    picture = Image.effect_mandelbrot((side, side * 3 // 4), (-2, -1.2, 1, 1.2), 20 + number).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def weights(number: int) -> bytes:
    """Those of a bundled network, of which one number is another for each."""
    tensors = load(_bundled())
    tensors["head.bias"][0] += 1e-3 * (1 + number)
    return save(tensors)


@cache
def _bundled() -> bytes:
    return (ASSETS / f"{NETWORK}.safetensors").read_bytes()
