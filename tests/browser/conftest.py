"""One server and one browser for all browser tests; without a browser they skip here and fail in CI."""

from pathlib import Path

import pytest
from app_server import launch, require_browser, serve
from explore_page import ExplorePage
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
START_LINES = ("Uvicorn server started", "You can now view your Streamlit app", "URL:", "Stopping...")


def pytest_collection_modifyitems(items):
    """A browser on a busy machine may be late: what fails is tried once more, and the report tells how often. Each try
    has its own time limit, as that of a whole test ends with its first failure.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(pytest.mark.timeout(240, func_only=True))


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The app's address. Afterwards its log must hold nothing but the lines of its start."""
    require_browser()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve(log) as address:
        yield address
    unexpected = [line for line in log.read_text().splitlines() if line.strip() and not _expected(line)]
    assert not unexpected, "\n".join(unexpected)


def _expected(line: str) -> bool:
    return any(start in line for start in START_LINES)


@pytest.fixture(scope="session")
def browser():
    require_browser()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def desktop(browser):
    """A browser on a desk. Each tab is a new visitor; together they load the app's scripts once."""
    with browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True) as context:
        yield context


@pytest.fixture
def explore(desktop, address):
    """The page in a new tab of a new visitor; it may talk to nobody but its server and log no error."""
    page = desktop.new_page()
    strangers, complaints = [], []
    page.on("request", lambda request: _local(request.url, address) or strangers.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield ExplorePage(page, address)
    page.close()
    assert not strangers
    assert not complaints


def _local(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
