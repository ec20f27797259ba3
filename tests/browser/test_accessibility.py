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
STEPS = tuple(f"lesson?step={number}" for number in range(1, 8))
PAGES = ("", "truth", "tune", "experiments", *STEPS, "games", "games?game=beat", "room")
GRAVE = ("serious", "critical")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "explore")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave(browser: Browser, address: str, path: str, theme: str):
    with browser.new_context(color_scheme=theme, viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/{path}")
        settle(page)
        assert grave(page) == []


def settle(page: Page) -> None:
    """Until the page has been made, and rests."""
    app = page.get_by_test_id("stApp")
    expect(page.get_by_test_id("stHeading").first).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(500)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    page.wait_for_timeout(500)  # what slides or fades in


def grave(page: Page) -> list[str]:
    """Each serious violation: the rule, where, and why."""
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} {' '.join(map(str, node['target']))}: {node['failureSummary']}\n    {node['html'][:240]}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
