"""The Compare page in a real browser: measured, a cell clicked, its picture opened in Explore, and back."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SMALL = [
    ("transfer_networks", "Road signs: ResNet"),
    ("transfer_networks", "Road signs: plain CNN"),
    ("transfer_attacks", "Greedy search"),
    ("transfer_n", "1"),
]


def test_a_click_on_a_cell_shows_its_pictures_and_one_opens_in_explore(explore):
    page = explore.page
    page.goto(f"{explore.address}/compare?{urlencode(SMALL)}")
    expect(page.get_by_role("heading", name="Does it carry over to other networks?")).to_be_visible()
    start, done = page.get_by_role("button", name="Measure", exact=True), page.get_by_text("2 attacks: done.")
    expect(start.or_(done)).to_be_visible()  # a second try finds what the first one did
    if start.is_visible():
        start.click()
    expect(done).to_be_visible(timeout=60_000)
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    matrix = page.locator(".st-key-matrix-0-whole .nsewdrag").first
    matrix.scroll_into_view_if_needed()
    box = None
    while box != (box := matrix.bounding_box()):  # it makes room for its labels
        page.wait_for_timeout(500)
    at = box["x"] + 3 * box["width"] / 4, box["y"] + box["height"] / 4  # attacked: the first; looks: the second
    page.mouse.move(*at)
    page.wait_for_timeout(300)
    page.mouse.click(*at)
    expect(page.get_by_role("heading", name="ResNet → Plain CNN, Greedy search")).to_be_visible()
    expect(page.locator(".pair img")).to_have_count(2)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    here = page.url
    page.get_by_role("button", name="Open in Explore").click()
    expect(page.get_by_role("heading", name="Which pixels change its mind?")).to_be_visible()
    explore.settle()
    asked = dict(parse_qsl(urlsplit(page.url).query))
    assert asked == {"attack": "greedy", "network": "signs-resnet"}, "its picture is Explore's first"
    page.go_back()
    expect(page.get_by_role("heading", name="ResNet → Plain CNN, Greedy search")).to_be_visible()
    assert page.url == here, "as it was left"
