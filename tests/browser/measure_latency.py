"""How long it takes from moving a slider to the new picture, and from putting a pixel back to the new prediction:
`python tests/browser/measure_latency.py`.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from app_server import launch, serve
from explore_page import ExplorePage
from playwright.sync_api import sync_playwright

MOVES = 10
TARGETS = {"slider to picture": 2.0, "pixel to prediction": 0.5}  # seconds, medians


# Watches from within the page: a watcher from without (Playwright's waiting) costs the page half a second.
# `picture` is when the new pictures are on the screen, `rest` when charts and table are too and nothing runs any more.
WATCH = """
() => {
  const status = () => document.querySelector('.st-key-status')?.innerText ?? '';
  const hosts = [...document.querySelectorAll('.st-key-pictures *')].filter((node) => node.shadowRoot);
  const images = () => hosts.flatMap((host) => [...host.shadowRoot.querySelectorAll('.frame img')]);
  const sources = () => images().map((image) => image.src).join();
  const app = document.querySelector('[data-testid=stApp]');
  const shown = sources();
  window.arrived = new Promise((resolve) => {
    addEventListener('keydown', () => {
      const started = performance.now();
      let [picture, ran] = [null, false];
      const look = () => {
        const seconds = (performance.now() - started) / 1000;
        if (picture === null && sources() !== shown && images().every((image) => image.complete)) picture = seconds;
        const rests = app.getAttribute('data-test-script-state') === 'notRunning';
        const run = document.querySelector('.st-key-status button');
        if (rests && run?.innerText.trim() === 'Run') run.click();
        ran ||= !rests;
        if (rests && ran && status().startsWith('Attack')) {
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

# Clicks a mark of the what-if picture. `told` is when its caption has changed, `rest` when nothing runs any more.
CLICK = """
(number) => new Promise((resolve) => {
  const nodes = [...document.querySelectorAll('.st-key-what-if-picture *')];
  const all = (kind) => nodes.flatMap((node) => [...(node.shadowRoot?.querySelectorAll(kind) ?? [])]);
  const words = () => all('figcaption').map((each) => each.innerText).join();
  const app = document.querySelector('[data-testid=stApp]');
  const before = words();
  const started = performance.now();
  all('.mark')[number].dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
  let told = null;
  const look = () => {
    const seconds = (performance.now() - started) / 1000;
    if (told === null && words() !== before) told = seconds;
    if (told !== null && app.getAttribute('data-test-script-state') === 'notRunning') resolve({ told, rest: seconds });
    else setTimeout(look, 10);
  };
  look();
})
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


def measure_what_if(explore: ExplorePage) -> list[dict[str, float]]:
    """Seconds from the click on a changed pixel to its reversal being `told`, and to `rest`, for each of MOVES."""
    explore.page.locator(".st-key-what-if summary").click()
    explore.page.locator(".st-key-what-if-picture .mark").first.wait_for()
    explore.idle(1000)
    clicks = []
    for number in range(MOVES):
        clicks.append(explore.page.evaluate(CLICK, number % explore.n_pixels))
        print("{told:.2f} s, all at rest {rest:.2f} s".format(**clicks[-1]))
        explore.idle()
    return clicks


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as address,
        sync_playwright() as engine,
    ):
        browser = launch(engine)
        explore = ExplorePage(browser.new_page(viewport={"width": 1440, "height": 1000}), address).open("?tau=0.1")
        moves, clicks = measure(explore), measure_what_if(explore)
        browser.close()
    medians = {}
    for what, times in {
        "slider to rest": [move["rest"] for move in moves],
        "slider to picture": [move["picture"] for move in moves],
        "pixel to rest": [click["rest"] for click in clicks],
        "pixel to prediction": [click["told"] for click in clicks],
    }.items():
        medians[what] = statistics.median(times)
        print(f"{what}, {MOVES} times: median {medians[what]:.2f} s, from {min(times):.2f} to {max(times):.2f} s")
    return 0 if all(medians[what] <= target for what, target in TARGETS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
