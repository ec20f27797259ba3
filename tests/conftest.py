"""Every test process, and every program that it starts, computes with one thread: there are as many as cores."""

import os
from collections import Counter
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
BROWSER = Path(__file__).parent / "browser"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that no process is left alone with it: files that drive a browser, then those
    with many tests.
    """
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (BROWSER not in item.path.parents, -tests[item.path]))


def pytest_addoption(parser):
    parser.addoption("--other-device", action="store_true", help="run on a stand-in for a GPU, see other_device.py")


@pytest.fixture(autouse=True, scope="session")
def _pages_without_a_pause():
    """There is no browser to wait for."""
    from explorer.ui import turns

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "PAUSE", 0)
        yield


@pytest.fixture(autouse=True, scope="session")
def _device(request):
    """What the tests run on."""
    if not request.config.getoption("--other-device"):
        yield
        return
    from other_device import other_device

    with other_device():
        yield
