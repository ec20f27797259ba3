"""A page on the wall of a classroom: letters on charts can be read from the last row, in whichever theme it is, and
what is played with is whole on a low screen.
"""

import pytest
from explore_page import PATIENCE
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SMALLEST = 14  # CSS pixels
LETTERS = """() => [...document.querySelectorAll(".js-plotly-plot text")]
    .filter(text => text.textContent.trim() && text.getBoundingClientRect().width)
    .map(text => {
        const {a, b} = text.getScreenCTM(), style = getComputedStyle(text);
        const [red, green, blue] = style.fill.match(/[\\d.]+/g).map(Number);
        return [text.textContent, parseFloat(style.fontSize) * Math.hypot(a, b), red + green + blue];
    })"""
CHARTS = ("", "lesson?step=3", "lesson?step=5", "games?game=beat", "truth", "tune", "experiments")
BOARDS = {
    "lesson?step=2": ".st-key-find-board .frame",
    "lesson?step=3": ".st-key-repair-picture .frame",
    "games": "[class*=st-key-game-board] .frame",
    "games?game=beat": ".st-key-beat-board .frame",
}


@pytest.fixture(scope="module")
def page(browser: Browser):
    with browser.new_context(color_scheme="light", reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page


def rest(page: Page) -> None:
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path or "explore")
def test_letters_on_charts_are_large(page: Page, address: str, path: str):
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{address}/{path}")
    expect(page.locator(".js-plotly-plot text").first).to_be_attached()
    rest(page)
    letters = page.evaluate(LETTERS)
    assert letters
    assert [(text, size) for text, size, _ in letters if size < SMALLEST - 0.05] == []


def test_letters_on_charts_follow_the_theme(page: Page, address: str):
    page.goto(f"{address}/lesson?step=3")
    expect(page.locator(".js-plotly-plot text").first).to_be_attached()
    rest(page)
    assert max(ink for *_, ink in page.evaluate(LETTERS)) < 200, "dark on a light page"
    page.emulate_media(color_scheme="dark")
    rest(page)
    assert min(ink for *_, ink in page.evaluate(LETTERS)) > 500, "and light on a dark one, without a click"
    page.emulate_media(color_scheme="light")


@pytest.mark.parametrize(("path", "board"), BOARDS.items(), ids=BOARDS)
def test_what_is_played_with_is_whole_on_a_low_screen(page: Page, address: str, path: str, board: str):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{address}/{path}")
    expect(page.locator(board).first).to_be_visible()
    rest(page)
    box = page.locator(board).first.bounding_box()
    assert box["height"] > 250
    assert box["y"] + box["height"] <= 720
