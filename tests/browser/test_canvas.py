"""The canvas by itself, on a page without a server: fingers, keys, and numbers that hardly differ from zero."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.images import from_uint8
from explorer.ui import pictures
from explorer.ui.pictures import picture_url

pytestmark = pytest.mark.browser

SIDE = 8
MARKS = [
    {"row": 2, "col": 3, "kind": "obscuring", "weak": True, "off": False, "obscuring": 0.0049, "leading": -0.0049},
    {"row": 5, "col": 6, "kind": "leading", "weak": False, "off": False, "obscuring": -1.5, "leading": 20.0},
]
DRAW = """
async ([code, css, html, data]) => {
  document.body.innerHTML = "<div></div><p style='height: 3000px'></p>";
  const root = document.querySelector("div").attachShadow({ mode: "open" });
  root.innerHTML = `<style>${css}</style><main>${html}</main>`;
  window.picks = [];
  const { default: draw } = await import(`data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`);
  draw({
    data,
    parentElement: root.querySelector("main"),
    setTriggerValue: (name, value) => picks.push(name === "draw" ? value : value.pixels),
  });
}
"""


@pytest.fixture
def page(browser):
    with browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True) as context:
        yield context.new_page()


def draw(page, toggles: bool = False, draws: bool = False, region: str = "") -> None:
    """A canvas of one pane in which all is black before and white now, on a page that can be scrolled."""
    looks = [{"kind": kind, "count": 1, "shape": "circle", "colour": "blue"} for kind in ("obscuring", "leading")]
    data = {
        "height": SIDE,
        "width": SIDE,
        "went": [],
        "images": {
            name: picture_url(from_uint8(np.full((SIDE, SIDE, 3), grey, np.uint8)))
            for name, grey in (("before", 0), ("now", 255))
        },
        "compared": ["before", "now"],
        "panes": [{"title": "Now", "shows": "now", "marked": not draws, "draws": draws, "alt": "White."}],
        "region": region,
        "hint": "Point.",
        "unit": "logits",
        "picks": True,
        "toggles": toggles,
        "legend": looks,
        "marks": MARKS,
        "selected": [],
    }
    code, css, html = (
        (Path(pictures.__file__).parent / f"pictures.{kind}").read_text() for kind in ("js", "css", "html")
    )
    page.evaluate(DRAW, [code, css, html, data])
    expect(page.locator(".readout")).to_have_text("Point.")


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """One finger, from here to there."""
    devtools = page.context.new_cdp_session(page)
    steps = [tuple(a + (b - a) * step / 8 for a, b in zip(start, end, strict=True)) for step in range(9)]
    for number, (x, y) in enumerate(steps):
        kind = "touchMove" if number else "touchStart"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(20)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)  # the page may coast on


def test_a_tap_points_and_a_finger_scrolls_the_page_or_moves_what_is_zoomed(page):
    draw(page)
    overlay = page.locator(".frame svg")
    box = overlay.bounding_box()
    middle = (box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2 + 2)
    page.touchscreen.tap(*middle)
    expect(page.locator(".readout")).to_have_text("Row 4, column 4: before  rgb 0, 0, 0 → now  rgb 255, 255, 255")
    expect(page.locator(".cursor")).to_have_attribute("x", "4")
    expect(page.locator(".cursor")).to_be_visible()
    drag(page, middle, (middle[0], middle[1] - 100))
    assert page.evaluate("scrollY") > 50
    page.evaluate("scrollTo(0, 0)")
    page.get_by_title("Zoom in").tap()
    left, top, *_ = map(float, overlay.get_attribute("viewBox").split())
    drag(page, middle, (middle[0] - box["width"] / 8, middle[1] - box["height"] / 8))
    moved = [float(each) for each in overlay.get_attribute("viewBox").split()]
    assert moved == pytest.approx([left + 0.5, top + 0.5, 4, 4], abs=0.1), "an eighth of the 4 pixels in view"
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("toggles", [False, True], ids=["selects", "toggles"])
def test_enter_and_space_take_a_mark_and_escape_only_lets_go_of_a_selection(page, toggles):
    draw(page, toggles)
    overlay = page.locator(".frame svg")
    assert ("Escape lets go" in overlay.get_attribute("aria-label")) is not toggles
    overlay.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Enter", "Space", "Escape"):
        overlay.press(key)
    assert page.evaluate("picks") == [[0], [0]] + [[]] * (not toggles)
    assert page.evaluate("scrollY") == 0


def test_no_minus_before_a_zero(page):
    draw(page)
    first, second = page.locator(".mark").all()
    assert first.get_attribute("aria-label").endswith("(obscuring 0.00, leading 0.00 logits)")
    assert second.get_attribute("aria-label").endswith("(obscuring -1.50, leading 20.00 logits)")


def test_a_finger_draws_a_region_in_pixels_of_the_picture_also_where_one_has_zoomed(page):
    draw(page, draws=True)
    box = page.locator(".frame svg").bounding_box()
    side = box["width"] / SIDE
    drag(page, (box["x"] + 2 * side, box["y"] + 2 * side), (box["x"] + 6 * side, box["y"] + 4 * side))
    page.get_by_title("Zoom in").tap()
    drag(page, (box["x"] + side, box["y"] + side), (box["x"] + 7 * side, box["y"] + 7 * side))
    first, second = page.evaluate("picks")
    assert (first["add"], second["add"]) == (False, False)
    assert first["corners"][0] == pytest.approx([2, 2], abs=0.1)
    assert first["corners"][-1] == pytest.approx([6, 4], abs=0.1)
    assert second["corners"][-1] == pytest.approx([c + 3 for c in second["corners"][0]], abs=0.1)
    assert page.evaluate("scrollY") == 0


def test_the_region_is_outlined_and_what_lies_beside_it_shaded(page):
    draw(page, region="M2 2L5 2L5 6L2 6Z")
    layer = page.locator(".frame svg.regions")
    box = page.locator(".frame").bounding_box()
    outlined = layer.locator(".region:not(.halo)").bounding_box()
    assert outlined["x"] - box["x"] == pytest.approx(box["width"] / 4, abs=2)
    assert outlined["height"] == pytest.approx(box["height"] / 2, abs=2)
    assert layer.locator(".beside").bounding_box() == pytest.approx(box, abs=2)
    page.get_by_title("Zoom in").tap()
    assert layer.get_attribute("viewBox") == "2 2 4 4"
