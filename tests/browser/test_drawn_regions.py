"""Where pixels may change, as a person says it: drawn on the picture, chosen, cleared."""

import math
import re

import pytest
from playwright.sync_api import expect

from explorer.regions import Region
from explorer.ui.regions import INSIDE, NOT_SIGN, OUTSIDE

pytestmark = pytest.mark.browser

QUICK = "?steps=30&polish=false"
SIDE = 64


def draw_circle(explore, x: float, y: float, radius: float) -> None:
    """Drag around a part of the picture before; all in pixels of the picture."""
    picture = explore.page.locator(".st-key-pictures .frame svg.draws")
    expect(picture).to_be_visible()
    picture.evaluate("picture => picture.scrollIntoView({ block: 'center' })")
    explore.page.wait_for_timeout(500)
    box = picture.bounding_box()
    scale = box["width"] / SIDE
    points = [(x + radius * math.cos(t / 4), y + radius * math.sin(t / 4)) for t in range(26)]
    mouse = explore.page.mouse
    for number, (px, py) in enumerate(points):
        mouse.move(box["x"] + px * scale, box["y"] + py * scale)
        if not number:
            mouse.down()
    mouse.up()
    explore.settle(800)


def marked(explore) -> list[tuple[int, int]]:
    """Row and column of every changed pixel, as the canvas tells them."""
    told = explore.marks.evaluate_all("marks => marks.map((mark) => mark.getAttribute('aria-label'))")
    return [tuple(int(word.rstrip(",:")) for word in label.split()[1:4:2]) for label in told]


def await_region(explore, n_pixels: int) -> None:
    """Wait until the page has drawn what was found inside a region of so many pixels, or asks whether to begin."""
    found = explore.page.locator("h2").filter(has_text=f"inside the region of {n_pixels:,} pixels")
    asks = explore.status.get_by_role("button", name="Run", exact=True)  # after a slow run, as on a busy machine
    expect(found.or_(asks).first).to_be_visible()
    explore.settle()
    expect(found).to_be_visible()


def linked(explore) -> Region:
    return Region.parse(explore.page.evaluate("new URLSearchParams(location.search).get('region')"))


def test_a_region_that_is_drawn_holds_all_changed_pixels(explore):
    explore.open(QUICK)
    explore.choose("where", INSIDE)
    expect(explore.page.get_by_text("Nothing is drawn yet, so every pixel may change.")).to_be_visible()
    draw_circle(explore, 40, 28, 14)
    region = linked(explore)
    assert region.n_pixels == pytest.approx(math.pi * 14**2, rel=0.1)
    await_region(explore, region.n_pixels)
    found = marked(explore)
    assert len(found) == explore.n_pixels > 0
    assert all(region.mask[place] for place in found)
    expect(explore.page.locator(".st-key-pictures svg.regions")).to_have_count(3)

    told = explore.story
    explore.page.reload()
    explore.settle()
    assert explore.story == told

    explore.choose("where", OUTSIDE)
    await_region(explore, SIDE**2 - region.n_pixels)
    found = marked(explore)
    assert found
    assert not any(region.mask[place] for place in found)
    explore.page.get_by_role("button", name="Clear", exact=True).click()
    explore.settle(800)
    assert "region=" not in explore.page.url
    expect(explore.page.locator(".st-key-pictures svg.regions")).to_have_count(0)


def test_shift_adds_to_what_is_drawn_and_marks_are_still_picked(explore):
    explore.open(f"{QUICK}&where={INSIDE.replace(' ', '+')}")
    draw_circle(explore, 40, 28, 8)
    first = linked(explore)
    explore.page.keyboard.down("Shift")
    draw_circle(explore, 20, 44, 8)
    explore.page.keyboard.up("Shift")
    both = linked(explore)
    assert both.n_pixels > 1.8 * first.n_pixels
    assert (both | first) == both
    explore.point_at(explore.marks.first)
    explore.page.mouse.down()
    explore.page.mouse.up()
    explore.settle()
    expect(explore.page.locator(".st-key-pictures .mark.selected")).to_have_count(1)


def test_beside_the_sign(explore):
    explore.open(QUICK)
    explore.choose("where", NOT_SIGN)
    sign = Region.sign(0, 8323, (SIDE, SIDE))
    await_region(explore, sign.inverse.n_pixels)
    assert not any(sign.mask[place] for place in marked(explore))


def test_a_cell_of_a_grid_opens_without_a_region_as_it_was_tried(explore):
    box = Region.box((SIDE, SIDE), 20, 10, 16, 30)
    explore.open(f"{QUICK}&where={INSIDE.replace(' ', '+')}&region={box.text}")
    await_region(explore, box.n_pixels)
    page = explore.page
    page.get_by_role("link", name="Tune").click()
    run = page.locator(".st-key-run")
    expect(run).to_contain_text(re.compile(r"All [\d,]+ runs are done. They came with the app"))
    explore.idle()
    page.locator(".st-key-map").scroll_into_view_if_needed()
    cells = page.locator(".st-key-map .nsewdrag").first.bounding_box()
    at = cells["x"] + cells["width"] * 2.5 / 7, cells["y"] + cells["height"] * 2.5 / 7
    page.mouse.move(*at)
    page.wait_for_timeout(300)
    page.mouse.click(*at)
    expect(page.get_by_role("heading", name="Which pixels change its mind?")).to_be_visible()
    explore.settle()
    assert explore.slider("a").get_attribute("aria-valuetext") == "0.063"
    assert "region" not in explore.story + page.url
