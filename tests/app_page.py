"""The Explore page without a browser: what its tests share."""

import io

from PIL import Image
from streamlit.testing.v1 import AppTest

QUICK = {"steps": "30", "polish": "false"}  # a link whose attack is fast


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {**QUICK, **link}.items():
        app.query_params[name] = value
    return app.run()


def story(app: AppTest) -> str:
    (header,) = app.header
    return header.value.replace("\u00a0", " ")


def button(app: AppTest, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


def labels(app: AppTest) -> set[str]:
    return {each.label for each in app.button}


def png(size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.effect_mandelbrot(size, (-2, -1.2, 1, 1.2), 50).convert("RGB").save(file, "PNG")
    return file.getvalue()
