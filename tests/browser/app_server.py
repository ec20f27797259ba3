"""The app as a process of its own, and a headless browser: what the browser tests and the latency script share."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Where Chromium is, if anywhere."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def require_browser() -> None:
    """Skip where a person works without a browser; fail in CI, where one is promised."""
    if find_browser() is None:
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse("no Chromium was found: apt-get install chromium")


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)


@contextmanager
def serve(log: Path, *command: str) -> Iterator[str]:
    """Run the app on a free port and give its address; its output goes to `log`. `command`: Python's arguments, by
    default those of the README's first command.
    """
    port = free_port()
    process = start(port, log, *command)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """One that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port: int, log: Path, *command: str) -> subprocess.Popen:
    """The app's process, once it answers; what it keeps lies beside `log`, for the next one of the same log as well."""
    own = [*command, f"--port={port}"] if command else ["-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, *own], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=_environment(log.parent)
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
    except BaseException:
        process.kill()
        raise
    return process


def _environment(folder: Path) -> dict[str, str]:
    """The tests' own, but no settings of its Streamlit, no results of earlier runs, and nothing that was downloaded."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    places = {
        "EXPLORER_RUNS": "runs",
        "EXPLORER_CIFAR10": "cifar10",
        "EXPLORER_MODELS": "models",
        "TORCH_HOME": "torch",
    }
    return own | {name: str(folder / place) for name, place in places.items()}


def _wait_for(url: str, process: subprocess.Popen, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"The app did not answer at {url}.")
