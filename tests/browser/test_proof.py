"""Evidence in a real browser: lasso, zoom and keys on the canvas, what-if, playback, the proof, the ground truth."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.ui.what_if import HINT

pytestmark = pytest.mark.browser

COLOUR = r"rgb \d+, \d+, \d+"
QUICK = "?steps=30&polish=false&picture=speed-limit-60-1"


def drag_around(page, overlay, share: float = 0.01) -> None:
    """A lasso along the edges of the picture."""
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    left, top = box["x"] + share * box["width"], box["y"] + share * box["height"]
    right, bottom = box["x"] + (1 - share) * box["width"], box["y"] + (1 - share) * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_a_lasso_selects_in_every_view_and_shift_and_escape_work(explore):
    explore.open(QUICK)
    n = explore.n_pixels
    assert n > 1
    expect(explore.marks).to_have_count(n)
    selected = explore.page.locator(".st-key-pictures .mark.selected")
    overlay = explore.page.locator(".st-key-pictures .frame svg").last
    drag_around(explore.page, overlay)
    expect(selected).to_have_count(n)
    explore.idle()
    expect(explore.scatter_points).to_have_count(2 * n)  # a ring around each
    assert explore.readout.startswith(f"{n} pixels selected")
    explore.marks.first.dispatch_event("click", {"shiftKey": True})
    expect(selected).to_have_count(n - 1)
    explore.idle()
    explore.page.keyboard.down("Shift")
    drag_around(explore.page, explore.page.locator(".st-key-pictures .frame svg").last)
    explore.page.keyboard.up("Shift")
    expect(selected).to_have_count(n)  # the others stay
    explore.idle()
    overlay = explore.page.locator(".st-key-pictures .frame svg").last
    overlay.focus()
    overlay.press("Escape")
    expect(selected).to_have_count(0)
    explore.idle()
    explore.page.keyboard.press("+")  # the keys still go to the picture, though it was drawn anew
    expect(explore.page.locator(".st-key-pictures .factor")).to_have_text("2 ×")


def test_zoom_keeps_the_pixels_crisp_and_the_keys_move_the_cursor(explore):
    explore.open(QUICK)
    page = explore.page
    overlay, image = page.locator(".st-key-pictures .frame svg").last, explore.pictures.last
    page.locator(".st-key-pictures .tools button").last.click()
    assert page.locator(".st-key-pictures .factor").inner_text() == "2 ×"
    assert overlay.get_attribute("viewBox").split()[2:] == ["32", "32"]
    assert image.evaluate("image => image.clientWidth / image.parentElement.clientWidth") == pytest.approx(2, abs=0.02)
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    left, top = map(float, overlay.get_attribute("viewBox").split()[:2])
    box = overlay.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down(button="middle")
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up(button="middle")
    moved_left, moved_top = map(float, overlay.get_attribute("viewBox").split()[:2])
    assert moved_left == pytest.approx(min(left + 8, 32), abs=0.5), "a quarter of the 32 pixels in view"
    assert moved_top == top
    overlay.focus()
    overlay.press("-")
    assert page.locator(".st-key-pictures .factor").inner_text() == "1 ×"
    overlay.press("ArrowRight")
    first = explore.readout
    overlay.press("ArrowDown")
    row, col = map(int, re.match(r"Row (\d+), column (\d+)", first).groups())
    assert explore.readout.startswith(f"Row {row + 1}, column {col}:")


def test_what_if_answers_every_click(explore):
    explore.open(QUICK)
    page = explore.page
    page.locator(".st-key-what-if summary").click()
    marks = page.locator(".st-key-what-if-picture .mark")
    expect(marks).to_have_count(explore.n_pixels)
    explore.idle()
    changes = page.locator(".st-key-what-if-picture figcaption")
    for number in range(min(4, marks.count())):
        marks.nth(number).dispatch_event("click")
        expect(changes).to_contain_text(f"{explore.n_pixels - number - 1} of {explore.n_pixels} changes")
        explore.idle()
    assert page.locator(".st-key-what-if-picture .readout").inner_text() == HINT  # nobody points
    page.get_by_role("button", name="Undo all").click()
    expect(changes).to_contain_text(f"{explore.n_pixels} of {explore.n_pixels} changes")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(".st-key-what-if")).to_contain_text("repaired")
    page.get_by_role("button", name="Smallest set that still fools").click()
    expect(page.locator(".st-key-what-if")).to_contain_text("every smaller group was tried")
    expect(page.locator(".st-key-what-if")).to_contain_text("still fooled")


def test_what_if_tells_of_the_pixel_before_and_now_and_goes_on_after_every_click_and_key(explore):
    explore.open(QUICK)
    page = explore.page
    page.locator(".st-key-what-if summary").click()
    changes = page.locator(".st-key-what-if-picture figcaption")
    expect(changes).to_be_visible()
    expect(page.locator(".js-plotly-plot .nsewdrag")).to_have_count(3)  # all charts are drawn
    explore.idle()
    numbers = r"\w+(, weak)? \(obscuring -?\d+\.\d\d, leading -?\d+\.\d\d logits\)"
    place = explore.point_at(page.locator(".st-key-what-if-picture .mark").nth(2))
    changed = explore.read_out("what-if-picture")
    assert re.fullmatch(rf"Row \d+, column \d+: before {COLOUR} → now {COLOUR} · {numbers}", changed)
    page.mouse.click(*place)
    expect(changes).to_contain_text(f"{explore.n_pixels - 1} of {explore.n_pixels} changes")
    explore.idle()
    back = explore.read_out("what-if-picture")
    assert re.fullmatch(rf"Row \d+, column \d+: before and now {COLOUR} · {numbers}, put back", back)
    assert changed.split(" → ")[0].split("before ")[1] in back, "put back is as before"
    page.keyboard.press("Enter")
    expect(changes).to_contain_text(f"{explore.n_pixels} of {explore.n_pixels} changes")
    explore.idle()
    assert explore.read_out("what-if-picture") == changed


def test_the_attack_plays_pauses_steps_and_can_be_saved(explore):
    explore.open(QUICK)
    page = explore.page
    page.locator(".st-key-playback summary").click()
    player = page.locator(".st-key-player .player")
    expect(player).to_have_attribute("data-frame", re.compile(r"\d+"))
    explore.idle()
    last = int(player.get_attribute("data-frame"))
    assert last > 30
    expect(player).to_contain_text(f"{explore.n_pixels} changed pixels")
    player.focus()
    player.press("Home")
    expect(player).to_contain_text("0 changed pixels")
    expect(player).to_contain_text("(not fooled)")
    player.press("ArrowRight")
    expect(player).to_have_attribute("data-frame", "1")
    player.press(" ")
    expect(page.locator(".st-key-player .play")).to_contain_text("Pause")
    expect(player).not_to_have_attribute("data-frame", "1")
    player.press(" ")
    expect(page.locator(".st-key-player .play")).to_contain_text("Play")
    scrub = page.locator(".st-key-player .scrub")
    scrub.fill(str(last))
    expect(player).to_have_attribute("data-frame", str(last))
    expect(player).to_contain_text(f"Frame {last} of {last}, step")
    scrub.press(" ")  # from the first frame again
    expect(page.locator(".st-key-player .play")).to_contain_text("Pause")
    scrub.press(" ")
    expect(page.locator(".st-key-player .play")).to_contain_text("Play")
    with page.expect_download() as download:
        page.get_by_role("button", name="Film (GIF)").click()
    with open(download.value.path(), "rb") as file:
        gif = Image.open(io.BytesIO(file.read()))
    assert gif.format == "GIF"
    assert gif.n_frames > 10


def test_the_proof_and_the_maps_come_on_demand(explore):
    explore.open(QUICK)
    page = explore.page
    page.locator(".st-key-proof summary").click()
    expect(page.locator(".st-key-proof")).to_contain_text("infidelity")
    expect(page.locator(".st-key-proof .js-plotly-plot")).to_have_count(2)
    page.locator(".st-key-maps summary").click()
    expect(page.locator(".st-key-maps .js-plotly-plot .hm")).to_have_count(2)
    explore.idle()
    explore.marks.first.dispatch_event("click")
    expect(page.locator(".st-key-pictures .mark.selected")).to_have_count(1)


def test_the_ground_truth_page_opens_with_signs_and_measures_others(explore):
    page = explore.page
    page.goto(f"{explore.address}/truth")
    expect(page.get_by_role("heading", name="Do the labels fall where the evidence lies?")).to_be_visible()
    expect(page.locator(".st-key-truth-picture .pane")).to_have_count(3)
    expect(page.get_by_text("On these 6 signs")).to_be_visible()
    page.get_by_label("Signs", exact=True).fill("2")
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("On these 2 signs")).to_be_visible()
    explore.idle()
    explore.point_at(page.locator(".st-key-truth-picture .mark").first)
    told = explore.read_out("truth-picture")
    assert re.match(rf"Row \d+, column \d+: before {COLOUR} → after {COLOUR} · .*obscuring .*leading", told)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_of_the_evidence_is_cut_off(explore, width):
    explore.page.set_viewport_size({"width": width, "height": 900})
    explore.open(QUICK)
    for key in ("what-if", "playback"):
        explore.page.locator(f".st-key-{key} summary").click()
        explore.idle()
    expect(explore.page.locator(".st-key-player canvas").first).to_be_visible()
    main = explore.page.get_by_test_id("stMain")
    for scheme in ("light", "dark"):
        explore.page.emulate_media(color_scheme=scheme)
        explore.idle()
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
