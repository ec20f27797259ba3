"""Every page, light and dark, by axe-core's rules: nothing serious or critical. The file of axe-core comes with the
package axe-playwright-python, so nothing is fetched.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest
from explore_page import PATIENCE
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

AXE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js")
PAGES = ("", "truth", "compare", "dataset", "tune", "experiments", "lesson", "lesson?step=4", "games",
         "games?game=beat", "room")  # fmt: skip
STILL = """document.getAnimations().every(
    each => each.playState != "running" || each.effect.getTiming().iterations == Infinity
)"""
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def page(browser: Browser):
    """One tab that goes from page to page."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "explore")
def test_axe_finds_nothing_grave(page: Page, address: str, path: str):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    opened(page, f"{address}/{path}")
    light = ground(page)
    assert grave(page) == []
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert ground(page) != light
    assert grave(page) == []


@pytest.mark.parametrize("path", ["", "experiments", "lesson?step=5"], ids=["explore", "experiments", "lesson"])
def test_nor_on_a_phone(page: Page, address: str, path: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="light")
    assert grave(opened(page, f"{address}/{path}")) == []


def opened(page: Page, url: str) -> Page:
    """The page once it rests, with axe-core in it."""
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    expect(page.locator("h1, h2").first).to_be_visible(timeout=3 * PATIENCE)  # the first one loads the libraries
    page.add_script_tag(content=AXE.read_text())
    settle(page)
    return page


def settle(page: Page) -> None:
    """Until the page rests, and what slides or fades in is there."""
    page.wait_for_timeout(400)
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    page.wait_for_function(STILL)


def ground(page: Page) -> str:
    """The page's background."""
    return page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")


def grave(page: Page) -> list[str]:
    """Each serious violation: the rule, where, and why."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} {' '.join(map(str, node['target']))}: {node['failureSummary']}\n    {node['html'][:240]}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
