"""How long it takes from opening the page of a server that has just started to labelled pixels, from moving a slider to
the new picture, from putting a pixel back to the new prediction, and from one page to another:
`python tests/browser/measure_latency.py`.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from app_server import launch, serve
from explore_page import ExplorePage
from playwright.sync_api import Playwright, sync_playwright

MOVES = 10
TARGETS = {  # seconds, medians
    "cold start to what came with the app": 2.0,
    "cold start to a new attack": 5.0,
    "slider to picture": 0.7,
    "pixel to prediction": 0.5,
    "one page to another": 1.0,
}
SHIPPED, NEW = "", "?lam=0.9"  # of links: one whose answer came with the app, and one that is attacked
PAGES = ("Compare", "Explore", "Ground truth", "Explore", "Tune", "Explore")  # one after another


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

# From the first moment of the page: `window.labelled` is when the first mark of a changed pixel is there.
FIRST = """
const find = () => {
  const nodes = [...document.querySelectorAll('.st-key-pictures *')];
  if (nodes.some((node) => node.shadowRoot?.querySelector('.mark'))) window.labelled = performance.now() / 1000;
  else setTimeout(find, 10);
};
find();
"""

# Clicks a link to another page. Resolves once its title is there and nothing runs any more.
SWITCH = """
(name) => new Promise((resolve) => {
  const app = document.querySelector('[data-testid=stApp]');
  const title = () => document.querySelector('h1')?.innerText;
  const before = title();
  const link = [...document.querySelectorAll('a[href]')].find((each) => each.innerText.trim() === name);
  const started = performance.now();
  link.click();
  const look = () => {
    if (title() && title() !== before && app.getAttribute('data-test-script-state') === 'notRunning') {
      resolve((performance.now() - started) / 1000);
    } else setTimeout(look, 10);
  };
  look();
})
"""


def measure_cold(engine: Playwright, query: str) -> float:
    """Seconds from opening the page of a server that has just started to the first mark of a changed pixel."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "log.txt") as address:
        browser = launch(engine)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.add_init_script(FIRST)
        page.goto(f"{address}/{query}")
        page.wait_for_function("window.labelled", timeout=60_000, polling=1000)
        seconds = page.evaluate("window.labelled")
        browser.close()
    print(f"cold start, {query or 'without a link'}: {seconds:.2f} s")
    return seconds


def measure_pages(explore: ExplorePage) -> list[float]:
    """Seconds from the click on a link to another page until it is whole, for each of PAGES, once all were seen."""
    times = []
    for name in (*PAGES, *PAGES):
        explore.idle(500)
        times.append(explore.page.evaluate(SWITCH, name))
        print(f"{name}: {times[-1]:.2f} s")
    return times[len(PAGES) :]


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
    with sync_playwright() as engine:
        cold = {
            "cold start to what came with the app": [measure_cold(engine, SHIPPED)],
            "cold start to a new attack": [measure_cold(engine, NEW)],
        }
        with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "log.txt") as address:
            browser = launch(engine)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            explore = ExplorePage(page, address).open("?tau=0.1")
            moves, clicks, pages = measure(explore), measure_what_if(explore), measure_pages(explore)
            browser.close()
    medians = {}
    for what, times in {
        **cold,
        "slider to rest": [move["rest"] for move in moves],
        "slider to picture": [move["picture"] for move in moves],
        "pixel to rest": [click["rest"] for click in clicks],
        "pixel to prediction": [click["told"] for click in clicks],
        "one page to another": pages,
    }.items():
        medians[what] = statistics.median(times)
        goal = f"; at most {TARGETS[what]:.1f} s" if what in TARGETS else ""
        print(f"{what}, {len(times)} times: median {medians[what]:.2f} s, {min(times):.2f} to {max(times):.2f} s{goal}")
    return 0 if all(medians[what] <= target for what, target in TARGETS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
