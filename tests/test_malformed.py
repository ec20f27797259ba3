"""About two thousand inputs that nobody should send, from every edge: one sentence each, and never anything else.

Pictures and weights that are broken in other ways are in test_images.py and test_own_weights.py.
"""

import io
import json
import random
import struct
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow
from safetensors.torch import save
from torch import ones

from explorer.attacks import ATTACKS
from explorer.classifiers import load_own_weights
from explorer.classifiers.bundled import ASSETS
from explorer.classifiers.class_names import checked
from explorer.classifiers.own import own_card
from explorer.commands.networks import class_index
from explorer.defences import DEFENCES
from explorer.images import load_pixels
from explorer.knobs import knobs
from explorer.limits import Limits
from explorer.ui.controls import nearest
from explorer.ui.grid import offered, parsed
from explorer.ui.link import exactly

WEIGHTS = (ASSETS / "signs-cnn.safetensors").read_bytes()
ODD = [
    None,
    True,
    False,
    "",
    "no",
    b"x",
    [],
    [1],
    {},
    {"a": 1},
    (),
    1j,
    float("nan"),
    float("inf"),
    -1,
    2**70,
    1e308,
    print,
]
ODD += ["λ\n", "\ud800", "9" * 400, "[x](y)", object, range(3), np.arange(3), "\x00", "1_0", -0.0]
JSON_ODD = [None, True, 1, -1, 1e400, "", "x", [], [1], {}, {"a": {}}, [[]], "\ud800", "9" * 99, [None], 2**80, 0.1]


def one_sentence(call: Callable[[], object]) -> bool:
    """Whether it refused; anything but a ValueError with one sentence fails the test that asks."""
    refusal = None
    with warnings.catch_warnings(action="error"):
        try:
            call()
        except ValueError as error:
            refusal = error
    if refusal is None:
        return False
    told = str(refusal)
    assert type(refusal) is ValueError, repr(refusal)
    assert told.endswith("."), told
    assert "\n" not in told
    assert len(told) < 1000
    return True


def picture(kind: str, mode: str) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (9, 7, 3), np.uint8)
    Pillow.fromarray(noise).convert(mode).save(file, kind)
    return file.getvalue()


KINDS = [("PNG", "RGB"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "1"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
KINDS += [("WEBP", "RGBA"), ("BMP", "RGB"), ("BMP", "P"), ("PNG", "RGBA")]


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_pictures(kind, mode):
    """40 of each of 10 kinds: letters changed, put in, left out, parts exchanged, lengths that lie."""
    good, refused = picture(kind, mode), 0
    for seed in range(40):
        chance, content = random.Random(f"{kind} {mode} {seed}"), bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(content))
            what = chance.randrange(5)
            if what == 0:
                content[at] ^= 1 << chance.randrange(8)
            elif what == 1:
                content[at:at] = chance.randbytes(chance.randrange(1, 40))
            elif what == 2:
                del content[at : at + chance.randrange(1, 40)]
            elif what == 3:
                content[at : at + 4] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1, len(content)]))
            else:
                other = chance.randrange(len(content))
                content[at : at + 8], content[other : other + 8] = content[other : other + 8], content[at : at + 8]
        refused += one_sentence(lambda content=bytes(content): load_pixels(content))
    assert refused > 5


def test_weights():
    """150: the list of tensors has any value at any place."""
    length = int.from_bytes(WEIGHTS[:8], "little")
    entries, data = json.loads(WEIGHTS[8 : 8 + length]), WEIGHTS[8 + length :]
    names = [name for name in entries if name != "__metadata__"]
    for seed in range(150):
        chance, changed = random.Random(seed), json.loads(json.dumps(entries))
        entry = changed[chance.choice(names)]
        place = chance.choice(["dtype", "shape", "data_offsets", "__metadata__", "name"])
        if place == "__metadata__":
            changed[place] = {"x": chance.choice([None, 1, [], {}])}
        elif place == "name":
            changed[chance.choice(["", ".", "a" * 10_000, "module.", "\u2028", "." * 999])] = chance.choice(JSON_ODD)
        else:
            entry[place] = chance.choice([odd for odd in JSON_ODD if odd != entry[place]])
        header = json.dumps(changed).encode()
        content = struct.pack("<Q", len(header)) + header + data
        assert one_sentence(lambda content=content: load_own_weights(content, "signs-cnn", "signs")), seed


@pytest.mark.parametrize("architecture", ["signs-cnn", "cifar-resnet20", "squeezenet1_1"])
def test_names_of_tensors(architecture):
    """60: whatever tensors are called, they are told not to fit."""
    parts = ["", "module", "layer1", "0", "999999999999999999999", "conv1", "weight", "stages", "shortcut", "λ", "\x00"]
    for seed in range(20):
        chance = random.Random(seed)
        names = [".".join(chance.choices(parts, k=chance.randrange(1, 9))) for _ in range(chance.randrange(1, 9))]
        content = save({name: ones(chance.randrange(3)) for name in names if name})
        assert one_sentence(lambda content=content: load_own_weights(content, architecture))


def test_descriptions(tmp_path):
    """170: any value for any key."""
    (tmp_path / "mine.safetensors").write_bytes(WEIGHTS)
    for key in ("architecture", "classes", "mean", "std", "input_size", "rotated", "other", "", "class_names", "name"):
        for value in JSON_ODD:
            said = {"architecture": "signs-cnn", "classes": "signs", key: value}
            (tmp_path / "mine.json").write_text(json.dumps(said))
            refused = one_sentence(lambda: own_card(tmp_path / "mine.safetensors"))
            assert refused or (key, value) == ("rotated", True)


def test_classes():
    """110: lists that are none, and names that no class has."""
    for odd in ODD:
        for names in (odd, ["a", odd], [odd] * 3, ("a", "b", odd)):
            fine = isinstance(odd, str) and odd.strip() and odd.isprintable() and len(odd) <= 200
            assert one_sentence(lambda names=names: checked(names)) or (fine and names is not odd), repr(names)
    for text in ["", "x", "-1", "²", "٣", "9" * 5000, "\x00", "A\nB", "1.0", "\ud800"]:
        assert one_sentence(lambda text=text: class_index(text, ["Cat", "CAT", "dog"]))


@pytest.mark.parametrize("config", [*ATTACKS.values(), *DEFENCES.values(), Limits])
def test_settings(config):
    """Thousands: any object for any setting."""
    for knob in knobs(config).values():
        for odd in ODD:
            refused = one_sentence(lambda knob=knob, odd=odd: config(**{knob.name: odd}))
            real = isinstance(odd, int | float) and not isinstance(odd, bool)
            fine = real or isinstance(odd, type(knob.default) | np.ndarray)
            assert refused or fine, (knob.name, odd)


def test_numbers_of_a_link():
    """640: whatever number it is, the nearest that the control can show; of a grid, or a sentence."""
    numbers = ["inf", "-inf", "1e400", "-1e-400", "0", "-0.0", "1e308", "9" * 400, "0.30000000000000004", "5e-324"]
    for knob in {knob for attack in ATTACKS.values() for knob in offered(attack).values()}:
        for text in numbers:
            if knob.low is not None:
                value = nearest(knob, float(text))
                knob.check(value)
                assert nearest(knob, float(exactly(value))) == value
            one_sentence(lambda knob=knob, text=text: parsed(knob, f"{text}, {text}"))
        for text in ("", ",,,", "nan", "one", "1;2", "![x](http://y)", "\x00", "9" * 5000, ",".join("123456789" * 9)):
            assert one_sentence(lambda knob=knob, text=text: parsed(knob, text)), (knob.name, text[:40])
