"""The app as a process of its own, with its memory and its load."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A running app."""

    port: int
    pid: int
    log: Path  # a line for each job that has ended

    @property
    def megabytes(self) -> float:
        """Of memory that it holds now."""
        return self._status("VmRSS") / 1024

    @property
    def peak(self) -> float:
        """The most that it has held since `forget_peak`, in megabytes."""
        return self._status("VmHWM") / 1024

    def forget_peak(self) -> None:
        """Measure the peak from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def cpu(self) -> float:
        """Seconds that its threads have computed, all together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def batches(self) -> list[int]:
        """Of each question that an attack has answered, how many were worked on together, itself among them."""
        lines = map(json.loads, self.log.read_text().splitlines()) if self.log.exists() else ()
        return [line["batch"] for line in lines if line["kind"] == "attack" and line["outcome"] == "done"]

    @property
    def computing(self) -> bool:
        """Whether any of its threads has work to do, on a core or in line for one."""
        states = (
            path.read_text().rsplit(")", 1)[1].split()[0] for path in Path(f"/proc/{self.pid}/task").glob("*/stat")
        )
        with suppress(OSError):  # a thread that has just ended
            return any(state == "R" for state in states)
        return True

    def seconds_until_idle(self, seconds: float, looks: int = 10, pause: float = 0.03) -> float:
        """How long it goes on computing: until so many looks in a row find no thread at work."""
        started, quiet, since = time.perf_counter(), 0, 0.0
        while (now := time.perf_counter() - started) < seconds:
            if self.computing:
                quiet = 0
            else:
                since, quiet = (now, 1) if not quiet else (since, quiet + 1)
                if quiet == looks:
                    return since
            time.sleep(pause)
        raise TimeoutError(f"The app was still computing after {seconds:.0f} s.")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1])


@contextmanager
def running(runs: str) -> Iterator[Server]:
    """The app, started for this and ended after it; `runs`: the folder for what it keeps."""
    port, log = free_port(), Path(runs) / "jobs.log"
    options = ["--server.port", str(port), "--server.headless", "true"]
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options],
        cwd=ROOT,
        env={**os.environ, "EXPLORER_RUNS": runs, "EXPLORER_LOG": str(log)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_it_answers(port)
        yield Server(port, app.pid, log)
    finally:
        app.terminate()
        try:
            app.wait(20)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()


def free_port() -> int:
    """One that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_it_answers(port: int, seconds: float = 120) -> None:
    """Until the app's health can be asked for. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("The app did not start.")
