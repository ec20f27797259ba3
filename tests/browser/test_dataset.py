"""The Data set page in a real browser: a study is stopped, reloaded, finished, taken home, and a picture is opened."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SMALL = "dataset_n=16"


def open_page(page: Page, address: str, query: str) -> None:
    page.goto(f"{address}/dataset?{query}")
    expect(page.get_by_role("heading", name="What holds for many pictures?")).to_be_visible()
    idle(page)


def idle(page: Page) -> None:
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_a_study_is_stopped_reloaded_finished_and_one_of_its_pictures_opened(explore, browser, tmp_path):
    page, line = explore.page, explore.page.locator(".st-key-dataset").first
    open_page(page, explore.address, SMALL)
    line.get_by_role("button", name="Attack 16 pictures").click()
    expect(line).to_contain_text(re.compile(r"[1-9]\d* of 16 attacks"))
    line.get_by_role("button", name="Stop").click()
    expect(line.get_by_role("button", name=re.compile("Go on|Attack 16"))).to_be_visible()
    page.reload()
    idle(page)
    line.get_by_role("button", name=re.compile("Go on|Attack 16")).click()
    expect(line).to_contain_text("All 16 attacks are done.")
    idle(page)

    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    with browser.new_context(offline=True) as context:
        offline, complaints = context.new_page(), []
        offline.on("pageerror", lambda error: complaints.append(str(error)))
        offline.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        offline.on("request", lambda each: each.url.startswith(("file:", "data:")) or complaints.append(each.url))
        offline.goto(report.as_uri())
        expect(offline.locator("figure .main-svg").first).to_be_visible()
        assert offline.locator(".js-plotly-plot").count() >= 5
        assert not complaints

    page.get_by_role("radio", name="Pictures").click()
    idle(page)
    card = page.get_by_text(re.compile(r"\d+ pixels?: \d+ obscuring, \d+ leading")).first.inner_text()
    n_pixels = int(re.search(r"(\d+) pixels?:", card)[1])
    page.get_by_role("button", name="Open in Explore").first.click()
    expect(page.get_by_role("heading", name="Which pixels change its mind?")).to_be_visible()
    explore.settle()
    assert "picture=sign-" in page.url
    assert f"by {n_pixels} of 4,096 pixels" in explore.story.replace("\u00a0", " "), "the same result"
    page.go_back()  # one step
    expect(page.get_by_role("heading", name="What holds for many pictures?")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(explore, width):
    explore.page.set_viewport_size({"width": width, "height": 900})
    open_page(explore.page, explore.address, "dataset_n=4")
    main = explore.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
