"""The Explore page as a person sees it: what one looks at and what one can do, by the names on the screen."""

import re

from playwright.sync_api import Locator, Page, expect

PATIENCE = 30_000  # ms: a busy machine is slow, not broken


class ExplorePage:
    """Drives one tab."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)

    def open(self, query: str = "") -> "ExplorePage":
        self.page.goto(f"{self.address}/{query}")
        expect(self.status).to_be_visible()  # the script has begun
        return self.settle()

    def settle(self, pause: int = 250) -> "ExplorePage":
        """Wait until nothing runs any more; where a slow machine made the page ask, press Run."""
        self.idle(pause)
        while (run := self.status.get_by_role("button", name="Run", exact=True)).is_visible():
            run.click()
            expect(run).to_be_hidden()
            self.idle(pause)
        return self

    def idle(self, pause: int = 250) -> None:
        """Wait until the script rests; first `pause` ms, for a change to reach the server."""
        app = self.page.get_by_test_id("stApp")
        self.page.wait_for_timeout(pause)
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")

    @property
    def status(self) -> Locator:
        """The line that says what is going on."""
        return self.page.locator(".st-key-status")

    @property
    def story(self) -> str:
        return self.page.locator("h2").inner_text().replace("\u00a0", " ")

    @property
    def n_pixels(self) -> int:
        return int(re.search(r"([\d,]+) of [\d,]+ pixels", self.story).group(1).replace(",", ""))

    def slider(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key} input[type=range]")

    def nudge(self, key: str, direction: str = "Right", times: int = 1) -> None:
        """Move a slider by the keyboard."""
        slider = self.slider(key)
        slider.focus()
        for _ in range(times):
            slider.press(f"Arrow{direction}")

    @property
    def pictures(self) -> Locator:
        return self.page.locator(".st-key-pictures .frame img")

    @property
    def marks(self) -> Locator:
        return self.page.locator(".st-key-pictures .mark")

    @property
    def scatter_points(self) -> Locator:
        return self.page.locator(".st-key-scatter .scatterlayer .trace .points path")

    @property
    def readout(self) -> str:
        return self.read_out("pictures")

    def read_out(self, key: str) -> str:
        """What the canvas of this key says of a pixel; its swatches leave a second space."""
        return self.page.locator(f".st-key-{key} .readout").inner_text().replace("  ", " ")

    def point_at(self, mark: Locator) -> tuple[float, float]:
        """Move the mouse to a mark, once the page has stopped moving, and say where that is."""
        box = None
        while box != (box := self._into_view(mark)):  # charts that are drawn late move what lies below them
            self.page.wait_for_timeout(500)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        return x, y

    def _into_view(self, mark: Locator) -> dict[str, float]:
        mark.evaluate("mark => mark.scrollIntoView({ block: 'center' })")  # else it may end under the page's header
        return mark.locator(".shape").bounding_box()

    @property
    def thumbnails(self) -> Locator:
        return self.page.locator(".st-key-gallery button")

    def choose_source(self, name: str) -> None:
        self.page.get_by_role("radio", name=name).or_(
            self.page.get_by_role("button", name=name, exact=True)
        ).first.click()
        self.settle()

    def upload(self, name: str, content: bytes) -> None:
        self.page.locator(".st-key-upload input[type=file]").set_input_files(
            {"name": name, "mimeType": "image/png", "buffer": content}
        )
        self.settle()

    def choose(self, key: str, option: str) -> None:
        """Choose in a select box by its name on the screen."""
        box = self.page.locator(f".st-key-{key} input")
        box.click()
        box.fill(option)
        box.press("Enter")
        self.settle()
