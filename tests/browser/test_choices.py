"""Other pictures and other networks than the bundled signs, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

QUICK = "?steps=30&polish=false"
ASSETS = Path(__file__).parents[2] / "assets"


def test_a_photograph_is_cropped_in_view_guessed_and_corrected(explore):
    explore.open(QUICK)
    explore.choose_source("Photographs")
    fitting = explore.page.locator(".st-key-fitting")
    expect(fitting).to_contain_text("451 × 300 pixels")
    assert fitting.locator("img").get_attribute("alt").startswith("The original picture, 451 by 300 pixels")
    explore.page.locator(".st-key-photographs button").nth(1).click()
    explore.settle()
    expect(fitting).to_contain_text("600 × 400 pixels")
    assert "picture=coffee" in explore.page.url
    seen = explore.story.split(",")[0]
    hero = explore.page.locator(".st-key-hero")
    expect(hero).to_contain_text("guessed from the prediction")
    other = "Yield" if seen != "Yield" else "Stop"
    explore.choose("true_class", other)
    expect(hero).to_contain_text(f"the true class is {other}")
    assert f"true={other}" in explore.page.url
    explore.page.reload()
    explore.settle()
    expect(hero).to_contain_text(f"the true class is {other}")


def test_a_network_that_is_not_here_is_offered_and_nothing_is_fetched_unasked(explore):
    explore.page.goto(f"{explore.address}/{QUICK}&network=resnet18")
    offer = explore.page.locator(".st-key-weights-download")
    expect(offer).to_contain_text("resnet18-f37072fd.pth, 47 MB, would go to")
    expect(offer.get_by_role("button", name="Download 47 MB")).to_be_visible()
    explore.choose("world", "Road signs")
    assert explore.story.startswith("Stop, ")
    explore.choose_source("CIFAR-10")
    expect(explore.page.locator(".st-key-cifar10-download")).to_contain_text("would go to")
    assert explore.story.startswith("Stop, "), "until then another picture is shown"


def test_own_weights_are_uploaded_and_attacked(explore):
    explore.page.goto(f"{explore.address}/{QUICK}&network=upload")
    form = explore.page.locator(".st-key-own-weights")
    use = form.get_by_role("button", name="Use these weights")
    expect(use).to_be_disabled()
    form.locator("input[type=file]").set_input_files(ASSETS / "signs-cnn.safetensors")
    expect(use).to_be_enabled()
    explore.idle()
    use.click()
    alert = explore.page.get_by_test_id("stAlert").filter(has_text="do not fit the architecture")
    expect(alert).to_have_count(1)
    explore.choose("own_architecture", "signs-cnn")
    explore.choose("own_known", "the 18 road signs")
    form.get_by_text("none", exact=True).click()
    explore.idle()
    use.click()
    explore.settle()
    expect(explore.pictures).to_have_count(3)
    expect(alert).to_have_count(0)
    assert "of 4,096 pixels" in explore.story
