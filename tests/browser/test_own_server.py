"""The command that starts the page, as a person starts it: with a network of one's own, which is then attacked."""

import pytest
from app_server import serve
from explore_page import ExplorePage
from playwright.sync_api import expect

from tests.own_networks import python_file

pytestmark = pytest.mark.browser


def test_a_network_in_python_is_offered_and_attacked(browser, tmp_path):
    file = python_file(tmp_path, name="theirs")
    with serve(tmp_path / "log.txt", "-m", "explorer", "serve", "--network", f"{file}:load") as address:
        told = (tmp_path / "log.txt").read_text()
        assert "theirs:load, 18 classes of rendered road signs, 64 × 64 pixels. It recognises 10 of 10" in told
        assert f"This computer: {address}" in told
        with browser.new_context(viewport={"width": 1440, "height": 1000}) as context:
            page = ExplorePage(context.new_page(), address).open("?steps=30&polish=false")
            page.choose("world", "Your own")
            expect(page.page.get_by_text("It recognises 10 of 10 pictures of rendered road signs")).to_be_visible()
            assert page.story.startswith("STOP, ")
            assert "network=py%3Atheirs.load-" in page.page.url
            page.page.reload()
            assert page.settle().story.startswith("STOP, ")
    told = (tmp_path / "log.txt").read_text()
    assert "Traceback" not in told, "it was stopped"
    assert "arning" not in told
