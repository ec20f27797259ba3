"""The Explore page in a real browser, as a person uses it."""

import io
import json
import re

import pytest
from app_server import require_browser
from PIL import Image
from playwright.sync_api import expect

from explorer.classifiers import load_classifier
from explorer.images import load_image

pytestmark = pytest.mark.browser

QUICK = "?steps=30&polish=false"
PRESS_STOP = """
() => {
  const buttons = [...document.querySelectorAll('.st-key-status button')].filter(
    (button) => !button.closest('[data-stale="true"]'),
  );
  const called = (name) => buttons.find((button) => button.innerText.trim() === name);
  called('Stop')?.click();
  return Boolean(called('Run to the end'));
}
"""
COMES = """
window.came = [];
const look = () => {
  const nodes = [...document.querySelectorAll('.st-key-pictures *')];
  const there = {
    charts: document.querySelector('.js-plotly-plot'),
    pictures: nodes.some((node) => node.shadowRoot?.querySelector('.mark')),
  };
  came.push(...Object.keys(there).filter((what) => there[what] && !came.includes(what)));
  if (came.length < 2) setTimeout(look, 5);
};
look();
"""


def test_the_default_sign_is_attacked_and_labelled_without_a_click(explore):
    explore.open()
    assert re.fullmatch(r"Stop, .* → .*, by [\d,]+ of 4,096 pixels", explore.story)
    expect(explore.marks).to_have_count(explore.n_pixels)
    expect(explore.scatter_points).to_have_count(explore.n_pixels)
    expect(explore.thumbnails.first).to_have_attribute("aria-pressed", "true")
    expect(explore.page.locator(".st-key-bars .bars .point")).to_have_count(10)


def test_the_first_pictures_do_not_wait_for_the_charts(explore):
    explore.page.add_init_script(COMES)
    explore.open()
    explore.page.wait_for_function("came.length == 2")
    assert explore.page.evaluate("came") == ["pictures", "charts"]


def test_back_from_another_page_finds_what_was_set(explore):
    explore.open(QUICK + "&lam=3")
    before, address = explore.story, explore.page.url
    explore.page.get_by_role("link", name="Games").first.click()
    expect(explore.page).to_have_url(re.compile("games"))
    explore.idle()
    explore.page.go_back()
    expect(explore.page).to_have_url(re.compile("lam=3"))
    explore.settle()
    assert explore.story == before
    assert explore.page.url == address


def test_every_picture_has_an_alternative_text_crisp_pixels_and_is_compared_where_one_points(explore):
    explore.open(QUICK)
    expect(explore.pictures).to_have_count(3)
    for picture in explore.pictures.all():
        assert len(picture.get_attribute("alt")) > 20
        assert picture.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
        assert picture.evaluate("image => image.naturalWidth") == 64
    for thumbnail in explore.page.locator(".st-key-gallery img").all():
        assert thumbnail.get_attribute("alt")
    explore.page.locator(".st-key-pictures .frame svg").first.hover(position={"x": 7, "y": 7})
    cursors = explore.page.locator(".st-key-pictures .cursor")
    assert [(cursor.get_attribute("x"), cursor.get_attribute("y")) for cursor in cursors.all()] == [("1", "1")] * 3
    assert re.fullmatch(r"Row 1, column 1: before and after rgb \d+, \d+, \d+", explore.readout)


def test_a_slider_changes_the_result_and_the_address(explore):
    explore.open(QUICK)
    before = explore.story
    explore.nudge("tau", "Left", times=4)
    explore.settle()
    assert "tau=" in explore.page.url
    assert explore.story != before


def test_a_link_restores_everything(explore):
    explore.open(f"{QUICK}&picture=yield-2&a=0.13&tau=0.04&target=General+caution&stage=optimised")
    told = explore.story
    assert told.startswith("Yield, ")
    assert explore.slider("tau").get_attribute("aria-valuetext") == "0.04"
    explore.page.reload()
    explore.settle()
    assert explore.story == told


def test_a_thumbnail_is_picked_by_a_click(explore):
    explore.open(QUICK)
    explore.thumbnails.nth(6).click()
    explore.settle()
    expect(explore.thumbnails.nth(6)).to_have_attribute("aria-pressed", "true")
    assert "picture=" in explore.page.url
    assert not explore.story.startswith("Stop, ")


def test_one_selection_marks_the_pixel_everywhere(explore):
    explore.open(QUICK)
    marks, selected = explore.marks, explore.page.locator(".st-key-pictures .mark.selected")
    marks.nth(1).dispatch_event("click")
    expect(selected).to_have_count(1)
    expect(marks.nth(1)).to_have_attribute("aria-pressed", "true")
    name = marks.nth(1).get_attribute("aria-label")
    assert explore.readout.startswith("Row " + re.search(r"row (\d+)", name).group(1))
    expect(explore.scatter_points).to_have_count(explore.n_pixels + 1)  # the ring

    explore.page.locator(".st-key-table").scroll_into_view_if_needed()
    table = explore.page.locator(".st-key-table canvas").first.bounding_box()
    explore.page.mouse.click(table["x"] + 16, table["y"] + 52)
    expect(marks.nth(0)).to_have_attribute("aria-pressed", "true")

    explore.idle()
    point = explore.page.locator(".st-key-scatter .scatterlayer .trace").last.locator(".points path").last
    point.evaluate("point => point.scrollIntoView({ block: 'center' })")  # else it ends under the page's header
    box = point.bounding_box()
    explore.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(marks.nth(0)).to_have_attribute("aria-pressed", "false")
    expect(selected).to_have_count(1)
    selected.dispatch_event("click")
    expect(selected).to_have_count(0)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a no picture", b"\x89PNG\r\n\x1a\n broken"], ids=["empty", "gif", "png"]
)
def test_a_bad_file_gets_one_sentence_and_the_page_stays_usable(explore, content):
    explore.open(QUICK)
    explore.choose_source("Upload")
    explore.upload("bad.png", content)
    alert = explore.page.get_by_test_id("stAlert").filter(has_text="instead")
    expect(alert).to_have_count(1)
    assert alert.inner_text().count("\n") == 0
    good = io.BytesIO()
    Image.effect_mandelbrot((80, 80), (-2, -1.2, 1, 1.2), 50).convert("RGB").save(good, "PNG")
    explore.upload("good.png", good.getvalue())
    expect(alert).to_have_count(0)
    assert "of 4,096 pixels" in explore.story


def test_stop_keeps_the_best_until_then(explore):
    explore.page.goto(f"{explore.address}/?network=signs-vit&steps=500&seed=5&max_pixels=3")
    stop, run = (explore.status.get_by_role("button", name=name, exact=True) for name in ("Stop", "Run"))
    stop.or_(run).wait_for(state="attached")
    if run.count():  # a slow machine asks first
        run.click()
        stop.wait_for(state="attached")
    # at once: an attack does not wait until the button stands still
    explore.page.wait_for_function(PRESS_STOP, polling=100)
    explore.idle()
    expect(stop).to_have_count(0)
    expect(explore.page.get_by_role("button", name="Run to the end")).to_be_visible()
    assert "of 4,096 pixels" in explore.story
    expect(explore.pictures).to_have_count(3)


def test_the_downloaded_picture_still_fools(explore, tmp_path):
    explore.open(QUICK)
    with explore.page.expect_download() as download:
        explore.page.get_by_role("button", name="Adversarial picture (PNG)").click()
    download.value.save_as(tmp_path / "adversarial.png")
    with explore.page.expect_download() as download:
        explore.page.get_by_role("button", name="Result (JSON)").click()
    download.value.save_as(tmp_path / "result.json")
    told = json.loads((tmp_path / "result.json").read_text())
    clf = load_classifier(told["network"])
    seen = int(clf(load_image(tmp_path / "adversarial.png")[None].to(clf.device)).argmax())
    assert told["succeeded"]
    assert seen == told["labels"]["after"]["index"] != told["labels"]["attacked"]["index"]


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_cut_off_at_the_side(explore, width):
    explore.page.set_viewport_size({"width": width, "height": 900})
    explore.open(QUICK)
    main = explore.page.get_by_test_id("stMain")
    for scheme in ("light", "dark"):
        explore.page.emulate_media(color_scheme=scheme)
        explore.idle()
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
        for picture in explore.pictures.all():
            box = picture.bounding_box()
            assert box["width"] == pytest.approx(box["height"], abs=1)
            assert 100 < box["width"] < width


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_browser_skips_here_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(outcome, match="no Chromium was found"):
        require_browser()
