"""The server is killed in the middle of a grid, a search and a room, and started anew: nothing is lost but the room."""

import re
import signal
from contextlib import ExitStack

import pytest
from app_server import free_port, start
from explore_page import PATIENCE
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

GRID = "tune?values_a=0.02,0.03,0.04,0.06,0.08&values_lam=0.15,0.35,0.9,1.9&signs=12&base_steps=100"
SEARCH = "tune?part=Find+the+best+for+me&signs=2&base_steps=20&trials=200&search_refined=false"
OPENED = 2 * PATIENCE  # the first page of a server loads the libraries


def test_nothing_is_lost_but_the_room(browser: Browser, tmp_path):
    port, log = free_port(), tmp_path / "log.txt"
    with ExitStack() as stack:
        server = start(port, log)
        stack.callback(lambda: (server.kill(), server.wait()))
        context = stack.enter_context(browser.new_context())
        tabs = [context.new_page() for _ in range(4)]
        teacher, student, grid, search = tabs
        for tab in tabs:
            tab.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        at = f"http://127.0.0.1:{port}"

        teacher.goto(f"{at}/room")
        teacher.get_by_role("button", name="Open a room", exact=True).click(timeout=OPENED)
        code = teacher.locator(".way-in .code").inner_text().replace(" ", "")
        student.goto(f"{at}/room?room={code}")
        student.get_by_role("button", name="Join", exact=True).click()
        student.locator(".st-key-signs-1 button").nth(3).click()
        student.get_by_role("button", name="Fool the network").click()
        expect(student.get_by_text("1 of 7 solved")).to_be_visible()
        for tab, query, label, begun in (
            (search, SEARCH, "Search", r"Trial ([2-9]|\d\d) of 200"),
            (grid, GRID, "Run 240 runs", r"[1-9]\d* of 240 runs"),
        ):
            tab.goto(f"{at}/{query}")
            tab.locator(".st-key-run").get_by_role("button", name=label).click()
            expect(tab.locator(".st-key-run")).to_contain_text(re.compile(begun), timeout=OPENED)

        server.send_signal(signal.SIGKILL)
        server.wait()
        server = start(port, log)

        expect(teacher.get_by_text(f"The room {code} is gone")).to_be_visible(timeout=OPENED)
        expect(
            student.get_by_text("There is no room with this code: it has ended, or the app was started again")
        ).to_be_visible(timeout=OPENED)
        expect(student.get_by_text("1 of 7 solved")).to_be_visible()
        expect(student.locator("h1")).to_have_text("Fool it")
        assert done(grid) in range(1, 240)
        assert done(search) in range(1, 200)

        teacher.get_by_role("button", name="Open a room", exact=True).click()
        again = teacher.locator(".way-in .code").inner_text().replace(" ", "")
        assert again != code
        student.goto(f"{at}/room?room={again}")
        student.get_by_role("button", name="Join", exact=True).click()
        expect(student.get_by_text("in room")).to_be_visible()
        expect(student.get_by_text("1 of 7 solved")).to_be_visible()


def done(tab: Page) -> int:
    """How many runs, or trials, the page says are done, now that nobody goes on with them."""
    line = tab.locator(".st-key-run")
    expect(line.get_by_role("button", name="Go on")).to_be_visible(timeout=OPENED)
    return int(re.search(r"(\d+) of \d+ (runs are done|trials)", line.inner_text()).group(1))
