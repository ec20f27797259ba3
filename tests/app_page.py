"""The Explore page without a browser: what its tests share."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from torch import nn

from explorer.classifiers import CLASSIFIERS, Card, Classifier
from explorer.images import from_uint8, to_png
from explorer.samples.cifar10 import CLASS_NAMES
from explorer.ui import caches

QUICK = {"steps": "30", "polish": "false"}  # a link whose attack is fast


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {**QUICK, **link}.items():
        app.query_params[name] = value
    return app.run()


def problems(app: AppTest) -> list[str]:
    """What the page complains about; the trust card, which may be red, is no complaint."""
    return [shown(each.value) for each in (*app.exception, *app.error) if "labels" not in each.value]


def shown(markdown: str) -> str:
    """What a person reads, where a backslash makes a letter stand for itself."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace("\u00a0", " "))


def story(app: AppTest) -> str:
    (header,) = app.header
    return shown(header.value)


def button(app: AppTest, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


def labels(app: AppTest) -> set[str]:
    return {each.label for each in app.button}


def png(size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.effect_mandelbrot(size, (-2, -1.2, 1, 1.2), 50).convert("RGB").save(file, "PNG")
    return file.getvalue()


def forget_classifiers() -> None:
    """The server loads networks anew when they are asked for."""
    caches._bundled.clear()
    caches._large.clear()


def write_cifar10(folder: Path) -> None:
    """Seven noisy pictures per class of CIFAR-10, brighter from class to class."""
    for label, name in enumerate(CLASS_NAMES):
        (folder / name.lower()).mkdir(parents=True)
        for number in range(7):
            noise = np.random.default_rng([label, number]).integers(0, 30, (32, 32, 3))
            picture = (noise + 22 * label).astype(np.uint8)
            (folder / name.lower() / f"{number}.png").write_bytes(to_png(from_uint8(picture)))


def cifar10_card() -> Card:
    """A network for those pictures, which tells them by how bright they are, as well as a straight line can."""

    def load() -> Classifier:
        brightness = nn.Linear(3, 10)
        centre = torch.arange(10)[:, None] * 22 / 255 + 15 / 255
        brightness.weight.data = 200 * centre.repeat(1, 3) / 3
        brightness.bias.data = -100 * centre[:, 0] ** 2
        network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), brightness)
        return Classifier(
            network,
            name="cifar-test",
            class_names=CLASS_NAMES,
            input_size=(32, 32),
            dataset="cifar10",
            mean=[0.0] * 3,
            std=[1.0] * 3,
        )

    return replace(CLASSIFIERS["signs-cnn"], name="cifar-test", title="CIFAR-10: test", dataset="cifar10", load=load)
