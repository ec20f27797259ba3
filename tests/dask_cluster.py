"""A Dask cluster on this machine, of one scheduler and single-threaded workers, each a process of its own."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = 60.0  # seconds until it must be there


class DaskCluster:
    """To be used as a context manager."""

    def __init__(self, workers: int, folder: Path) -> None:
        """`folder`: for what they write."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"dask://127.0.0.1:{port}"
        self._tcp, self._folder = f"tcp://127.0.0.1:{port}", folder
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        self.workers = [self.add_worker(number) for number in range(workers)]

    def __enter__(self) -> "DaskCluster":
        self.wait_for(len(self.workers))
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def add_worker(self, number: int) -> subprocess.Popen:
        """A process without a nanny: killed, it stays dead."""
        local = str(self._folder / f"worker-{number}")
        given = f"--nthreads 1 --no-nanny --host 127.0.0.1 --death-timeout 60 --local-directory {local}".split()
        return self._start("worker", self._tcp, *given)

    def wait_for(self, workers: int) -> None:
        """Until so many workers are there."""
        from distributed import Client

        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            with suppress(OSError), Client(self._tcp, timeout=START, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=START)
                return
        raise TimeoutError("The cluster did not start.")

    def _start(self, what: str, *given: str) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with (self._folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, "--no-dashboard", *given],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
