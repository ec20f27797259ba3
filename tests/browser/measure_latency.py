"""How long it takes from moving a slider to the new picture: `python tests/browser/measure_latency.py`."""

import statistics
import sys
import tempfile
from pathlib import Path

from app_server import launch, serve
from explore_page import ExplorePage
from playwright.sync_api import sync_playwright

MOVES = 10
TARGET = 2.0  # seconds, median


# Watches from within the page: a watcher from without (Playwright's waiting) costs the page half a second.
# `picture` is when the new pictures are on the screen, `rest` when charts and table are too and nothing runs any more.
WATCH = """
() => {
  const status = () => document.querySelector('.st-key-status')?.innerText ?? '';
  const hosts = [...document.querySelectorAll('.st-key-pictures *')].filter((node) => node.shadowRoot);
  const images = () => hosts.flatMap((host) => [...host.shadowRoot.querySelectorAll('.frame img')]);
  const sources = () => images().map((image) => image.src).join();
  const app = document.querySelector('[data-testid=stApp]');
  const [told, shown] = [status(), sources()];
  window.arrived = new Promise((resolve) => {
    addEventListener('keydown', () => {
      const started = performance.now();
      let picture = null;
      const look = () => {
        const seconds = (performance.now() - started) / 1000;
        if (picture === null && sources() !== shown && images().every((image) => image.complete)) picture = seconds;
        const rests = app.getAttribute('data-test-script-state') === 'notRunning';
        const run = document.querySelector('.st-key-status button');
        if (rests && run?.innerText.trim() === 'Run') run.click();
        if (rests && status().startsWith('Attack') && status() !== told) {
          resolve({ picture: picture ?? seconds, rest: seconds });
        } else {
          setTimeout(look, 10);
        }
      };
      look();
    }, { capture: true, once: true });
  });
}
"""


def measure(explore: ExplorePage) -> list[dict[str, float]]:
    """Seconds from the key press on τ's slider to `picture` and to `rest`, for each of MOVES."""
    moves = []
    for _ in range(MOVES):
        explore.page.evaluate(WATCH)
        explore.nudge("tau", "Left")
        moves.append(explore.page.evaluate("window.arrived"))
        print("{picture:.2f} s, all at rest {rest:.2f} s:".format(**moves[-1]), explore.status.inner_text())
    return moves


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as address,
        sync_playwright() as engine,
    ):
        browser = launch(engine)
        explore = ExplorePage(browser.new_page(viewport={"width": 1440, "height": 1000}), address).open("?tau=0.1")
        moves = measure(explore)
        browser.close()
    for end in ("rest", "picture"):
        times = [move[end] for move in moves]
        median = statistics.median(times)
        print(f"slider to {end}, {MOVES} moves: median {median:.2f} s, from {min(times):.2f} to {max(times):.2f} s")
    return 0 if median <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
