"""The Tune page in a real browser: a grid is stopped, its tab closed, found again and finished; a cell is opened."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

TUNE = re.compile(r"^What do .* do\?$")
SMALL = "values_a=0.05,0.1&values_lam=0.3,1&signs=2&base_steps=10"
LONG = "values_a=0.02,0.03,0.05,0.1,0.2&values_lam=0.1,0.3,0.9,2&signs=4&base_steps=100"


def open_tune(page: Page, address: str, query: str) -> None:
    page.goto(f"{address}/tune?{query}")
    expect(page.get_by_role("heading", name=TUNE)).to_be_visible()
    idle(page)


def idle(page: Page) -> None:
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def line(page: Page) -> str:
    return page.locator(".st-key-run").inner_text()


def press(page: Page) -> None:
    """Run, or go on."""
    page.locator(".st-key-run").get_by_role("button").first.click()


def open_cell(page: Page) -> None:
    """Click on the cell with the least value across and the largest one up, of four."""
    page.locator(".st-key-map").scroll_into_view_if_needed()
    box = page.locator(".st-key-map .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)


def test_a_stopped_grid_is_found_by_its_link_in_another_tab_and_goes_on(explore, browser):
    page = explore.page
    open_tune(page, explore.address, LONG)
    press(page)
    expect(page.locator(".st-key-run")).to_contain_text(re.compile(r"[1-9]\d* of 80 runs"))
    page.locator(".st-key-run").get_by_role("button", name="Stop").click()
    expect(page.locator(".st-key-run").get_by_role("button", name="Go on")).to_be_visible()
    done = int(re.search(r"(\d+) of 80 runs are done", line(page)).group(1))
    assert 0 < done < 80
    link = page.url
    page.goto("about:blank")

    with browser.new_context(viewport={"width": 1440, "height": 1000}) as context:
        other = context.new_page()
        other.goto(link)
        expect(other.locator(".st-key-run")).to_contain_text(f"{done} of 80 runs are done")
        expect(other.locator(".st-key-map .nsewdrag").first).to_be_visible()
        press(other)
        expect(other.locator(".st-key-run").get_by_role("button", name="Stop")).to_be_visible()
        other.reload()  # in the middle: it goes on without its tab
        expect(other.locator(".st-key-run")).to_contain_text("All 80 runs are done.")


def test_a_click_on_a_cell_opens_its_setting_in_explore(explore):
    page = explore.page
    open_tune(page, explore.address, SMALL)
    press(page)
    expect(page.locator(".st-key-run")).to_contain_text("All 8 runs are done.")
    idle(page)
    grid = page.url
    open_cell(page)  # a 0.05, λ 1
    expect(page.get_by_role("heading", name="Which pixels change its mind?")).to_be_visible()
    explore.settle()
    assert explore.slider("a").get_attribute("aria-valuetext") == "0.05"
    assert explore.slider("lam").get_attribute("aria-valuetext") == "1"
    assert "steps=10" in page.url
    assert "polish=false" in page.url, "the same run as the cell's"
    assert explore.story.startswith("Stop, ")
    page.go_back()  # one step
    expect(page.get_by_role("heading", name="What do a, λ and τ do?")).to_be_visible()
    idle(page)
    assert page.url == grid, "as it was left"
    expect(page.locator(".st-key-run")).to_contain_text("All 8 runs are done.")


def test_a_cell_of_another_attack_opens_with_it_and_back_is_one_step(explore):
    page = explore.page
    open_tune(page, explore.address, "attack=greedy&greedy.values_steps=10,48&greedy.values_classes=1,4&signs=2")
    press(page)
    expect(page.locator(".st-key-run")).to_contain_text("All 8 runs are done.")
    idle(page)
    grid = page.url
    open_cell(page)
    expect(page.get_by_role("heading", name="Which pixels change its mind?")).to_be_visible()
    explore.settle()
    asked = dict(parse_qsl(urlsplit(page.url).query))
    assert asked.items() >= {"attack": "greedy", "greedy.steps": "10", "greedy.classes": "4"}.items()
    assert asked["greedy.prune"] == asked["greedy.polish"] == "false"
    assert not [name for name in asked if name.startswith("base_")]
    expect(page.locator(".st-key-attack_choice input")).to_have_value("Greedy search")
    page.go_back()
    expect(page.get_by_role("heading", name=TUNE)).to_be_visible()
    idle(page)
    assert page.url == grid, "as it was left"


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(explore, width):
    explore.page.set_viewport_size({"width": width, "height": 900})
    for query in (SMALL, f"{SMALL}&view=Curves", "part=Find+the+best+for+me"):
        open_tune(explore.page, explore.address, query)
        main = explore.page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth")


def test_the_mechanics_open_on_explore(explore):
    explore.open("?steps=30&polish=false")
    explore.page.get_by_text("What a, λ, τ and the box do to a weight").click()
    expect(explore.page.locator(".st-key-mechanics_plot .nsewdrag").first).to_be_visible()
