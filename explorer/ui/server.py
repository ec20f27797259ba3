"""The page's server, in this process: what was loaded before is there for its pages."""

import pkgutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from explorer import ui
from explorer.classifiers import DEFAULT
from explorer.folders import app_file
from explorer.jobs import check_log
from explorer.limits import limits
from explorer.memory import reuse_freed
from explorer.samples.offered import offered_folders

VIEWS = Path(ui.__file__).parents[1] / "views"


@cache
def check_settings() -> None:
    """Raises ValueError with one sentence where the environment sets what cannot be."""
    limits()
    check_log()
    offered_folders()


@cache
def load_first_page() -> None:
    """Load what the first page needs: the first visitor shall wait for their run alone."""
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        import_module(module.name)
    from explorer.ui.caches import classifier, seconds_per_step  # late: it imports more than the commands need

    with suppress(RuntimeError, ValueError):  # weights that are damaged, say: the page tells it
        seconds_per_step(classifier(DEFAULT))


@asynccontextmanager
async def ready(_app: object) -> AsyncIterator[None]:
    """Around all that the server answers."""
    reuse_freed()
    load_first_page()
    yield


def serve(port: int, shared: Sequence[str] | None) -> int:
    """Serve the page until it is stopped; the exit code. `shared`: this computer's addresses in the local network, in
    which it can then be opened; None: on this computer alone.
    """
    from streamlit import net_util  # late: the other commands need none of it
    from streamlit.web import cli

    # Streamlit asks a service on the internet for this computer's address, to compare it with that of a page it does
    # not know. Nothing here leaves the computer.
    net_util.get_external_ip = lambda: None
    for stop in (signal.SIGINT, signal.SIGTERM):  # raised once more when all is closed
        signal.signal(stop, lambda *_given: sys.exit(0))
    cli.main(["run", str(app_file()), *options(port, shared)], prog_name="streamlit", standalone_mode=False)
    return 0


def options(port: int, shared: Sequence[str] | None) -> list[str]:
    """Streamlit's options. By these names, and no others, may a browser open the page."""
    name = socket.gethostname()
    known = [] if shared is None else [*shared[1:], name, f"{name}.local"]
    return [
        f"--server.port={port}",
        f"--server.address={'127.0.0.1' if shared is None else '0.0.0.0'}",
        f"--browser.serverAddress={shared[0] if shared else '127.0.0.1'}",
        *(f"--server.corsAllowedOrigins=http://{each}:{port}" for each in known),
        "--server.headless=true",
    ]
