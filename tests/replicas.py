"""Two replicas behind nginx, one of which dies: `python -m tests.replicas`.

Starts two apps and nginx, with the configuration of the container, on loopback ports. A visitor in a browser, and one
who speaks Streamlit's protocol, ask a question; the replica that they are on is killed; they open their link again. The
exit code is 1 where an answer is missing or another one. Needs nginx and Chromium.
"""

import argparse
import asyncio
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any, TypeVar
from urllib.parse import urlencode

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.app_server import find_browser, launch
from tests.load.answers import Answer, Question, seen_by
from tests.load.server import ROOT, Server, free_port, running, wait_until_it_answers
from tests.load.tab import Tab
from tests.load.visits import upload

T = TypeVar("T")

QUESTION = Question("stop-2", "signs-resnet", "1.3", 100)
PATIENCE = 120.0  # seconds
NETWORKS = 40  # from which somebody comes
FRAME = """
daemon off;
worker_processes 1;
pid $folder/pid;
error_log $folder/error.log;
$user
events {}
http {
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    log_format where '$$remote_addr $$upstream_addr $$status $$request_uri';
    include $folder/app.conf;
}
"""


class Front:
    """nginx, and what it has done."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def answered(self, visitor: str, path: str) -> int:
        """The port of the replica that has answered this visitor's last request for a path that begins so."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:  # a line is written after the answer
            rows = [line.split(" ") for line in self.log.read_text().splitlines()]
            for row in reversed(rows):
                if (row[0], row[-2]) == (visitor, "200") and row[-1].startswith(path):
                    return int(row[-3].rpartition(":")[2])
            time.sleep(0.05)
        raise TimeoutError(f"Nobody has answered {visitor} on {path}.")

    def health(self, visitor: str = "127.0.0.1") -> int:
        """The status that this visitor gets."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(visitor, 0))
        connection.request("GET", "/_stcore/health")
        try:
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def front(folder: Path, replicas: list[Server]) -> Iterator[Front]:
    """Nginx before these replicas, with the container's configuration; here it also writes down who answered."""
    port, log = free_port(), folder / "access.log"
    values = {"LISTEN": f"127.0.0.1:{port}"} | {
        name: f"127.0.0.1:{each.port}" for name, each in zip(("FIRST", "SECOND"), replicas, strict=True)
    }
    config = (ROOT / ".nginx" / "app.conf.template").read_text()
    for name, value in values.items():
        config = config.replace(f"${{{name}}}", value)
    (folder / "app.conf").write_text(config.replace("access_log off;", f"access_log {log} where;"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(Template(FRAME).substitute(folder=folder, user=user))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t", "-q"], check=True)
    process = subprocess.Popen(command)
    try:
        wait_until_it_answers(port)
        yield Front(port, log)
    finally:
        process.terminate()
        process.wait(20)


def look(page: Page) -> tuple[str, str]:
    """The answer's sentence and the page's link, once it rests."""
    app = page.get_by_test_id("stApp")
    story = page.locator("h2", has_text="→")
    expect(story).to_be_visible(timeout=1000 * PATIENCE)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=1000 * PATIENCE)
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=1000 * PATIENCE)
    return story.inner_text(), page.url


def beside(visit: Coroutine[Any, Any, T]) -> T:
    """Do this in another thread: the browser's own loop runs in this one."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, visit).result()


async def asked(port: int) -> Answer:
    """The whole answer, every pixel with its label, over the websocket."""
    tab = await Tab(port, QUESTION.link).open()
    try:
        return (await tab.until(seen_by, PATIENCE))[0]
    finally:
        await tab.close()


def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    for name, found in {"nginx": shutil.which("nginx"), "Chromium": find_browser()}.items():
        if found is None:
            print(f"{name} was not found.", file=sys.stderr)
            return 2
    with (
        tempfile.TemporaryDirectory() as folder,
        running(folder + "/runs") as first,
        running(folder + "/runs") as second,
        front(Path(folder), [first, second]) as nginx,
        sync_playwright() as playwright,
    ):
        return watch(nginx, [first, second], launch(playwright).new_page())


def watch(nginx: Front, replicas: list[Server], page: Page) -> int:
    """Print what happens. Returns the exit code."""
    print(f"Replicas on the ports {[each.port for each in replicas]}, nginx on {nginx.port}.")
    visitors = [f"127.0.{network}.{host}" for network in range(1, 1 + NETWORKS) for host in (1, 2)]
    statuses = Counter(nginx.health(visitor) for visitor in visitors)
    where = {visitor: nginx.answered(visitor, "/_stcore/health") for visitor in visitors}
    together = sum(where[each] == where[other] for each, other in zip(visitors[::2], visitors[1::2], strict=True))
    print(f"Health, for {len(visitors)} visitors from {NETWORKS} networks: {dict(statuses)}.")
    print(f"They meet {dict(Counter(where.values()))}; both of one network the same one: {together} of {NETWORKS}.")

    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{nginx.port}/?{urlencode(QUESTION.link)}")
    story, link = look(page)
    took = time.perf_counter() - began
    pixels = beside(asked(nginx.port))
    mine = nginx.answered("127.0.0.1", "/?")
    print(f"The page, from {mine}, over {sockets[-1]}, after {took:.1f} s: {story}")
    print(f"Over the protocol: {pixels.story} ({pixels.n_pixels} labelled pixels)")

    uploaded = beside(upload(nginx.port, 1))
    print(f"A picture of 25 million pixels, uploaded: {dict(uploaded.problems) or 'answered'}.")

    killed, left = sorted(replicas, key=lambda each: each.port != mine)
    os.kill(killed.pid, signal.SIGKILL)
    print(f"{killed.port} is killed.")
    began = time.perf_counter()
    page.goto(link)
    story_again, _ = look(page)
    took = time.perf_counter() - began
    pixels_again = beside(asked(nginx.port))
    now = nginx.answered("127.0.0.1", "/?")
    print(f"The link again, from {now}, after {took:.1f} s: {story_again}")
    same = story_again == story and pixels_again == pixels
    print(f"The same answer, every pixel and label: {'yes' if same else 'no'}.")
    print(f"Health: {dict(Counter(nginx.health(visitor) for visitor in visitors))}.")
    moved = mine != now == left.port
    spread = set(statuses) == {200} and together == NETWORKS and len(set(where.values())) == len(replicas)
    return 0 if same and moved and spread and not uploaded.problems else 1


if __name__ == "__main__":
    sys.exit(main())
