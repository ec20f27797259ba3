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


def problems(app: AppTest) -> list[str]:
    """What the page complains about; the trust card, which may be red, is no complaint."""
    return [each.value for each in (*app.exception, *app.error) if "labels" not in each.value]


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
