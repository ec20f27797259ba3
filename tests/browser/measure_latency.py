"""How long it takes from moving a slider to the new picture: `python tests/browser/measure_latency.py`."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from app_server import launch, serve
from explore_page import ExplorePage
from playwright.sync_api import expect, sync_playwright

MOVES = 10
TARGET = 2.0  # seconds, median


def measure(explore: ExplorePage) -> list[float]:
    """Seconds from the key press on τ's slider until the new pictures stand and nothing runs any more."""
    times = []
    for _ in range(MOVES):
        before = explore.status.inner_text()
        started = time.perf_counter()
        explore.nudge("tau", "Left")
        expect(explore.status).not_to_have_text(before, use_inner_text=True)
        explore.settle(pause=0)  # presses Run where the machine is so slow that the page asks
        explore.page.evaluate("() => new Promise(requestAnimationFrame)")
        times.append(time.perf_counter() - started)
        print(f"{times[-1]:.2f} s: {explore.status.inner_text()}")
    return times


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as address,
        sync_playwright() as engine,
    ):
        browser = launch(engine)
        explore = ExplorePage(browser.new_page(viewport={"width": 1440, "height": 1000}), address).open("?tau=0.1")
        times = measure(explore)
        browser.close()
    median = statistics.median(times)
    print(f"slider to picture, {MOVES} moves: median {median:.2f} s, from {min(times):.2f} to {max(times):.2f} s")
    return 0 if median <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
