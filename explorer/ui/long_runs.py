"""Work that goes on while its page is closed: kept on the server by what was asked for, so a link finds it again."""

import hashlib
import json
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.fetching import FetchFailed
from explorer.jobs import AGAIN, Job, QueueFull, queue_for
from explorer.ui.runs import progress_of

KEPT = 32  # in memory; what was done is also on the disk
FILES = 200  # on the disk; the oldest go first
DEADLINE = 900.0  # seconds of work
LOOK = 0.7  # seconds between two looks
ROOT = Path(os.environ.get("EXPLORER_RUNS") or Path(__file__).parents[2] / "runs")


class LongRun:
    """One piece of long work: started, stopped and started again, by whoever has its link."""

    def __init__(
        self, key: str, device: str, advance: Callable[[Job], bool], of: Any, deadline: float = DEADLINE
    ) -> None:
        """`advance` does the next part and says whether there is more; `of` is what the work is about; `deadline`: the
        seconds of work after which a person must ask for more.
        """
        self.of = of
        self._deadline = deadline
        self._key, self._device, self._advance = key, device, advance
        self.job: Job | None = None

    @property
    def active(self) -> bool:
        return self.job is not None and not self.job.ended

    def start(self) -> None:
        """Begin, or go on. Raises QueueFull with one sentence when too much is waiting."""
        if not self.active:
            self.job = queue_for(self._device).submit(self._work, owner=self._key, deadline=self._deadline)

    def _work(self, job: Job) -> Any:
        while not job.should_stop and self._advance(job):
            if job.others_wait():
                return AGAIN
        return None


class LongRuns:
    """The newest long runs of the server."""

    def __init__(self, limit: int = KEPT) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, LongRun] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: str, make: Callable[[], LongRun]) -> LongRun:
        """The one of this key, made if need be."""
        with self._guard:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            for old in [name for name, run in self._kept.items() if not run.active][: len(self._kept) - self._limit]:
                del self._kept[old]
            return self._kept[key]


@st.cache_resource
def long_runs() -> LongRuns:
    """The one store of this server."""
    return LongRuns()


@st.cache_resource
def folder() -> Path:
    """Where runs are kept: beside the app, or, where it may not write there, in a folder of this server's own."""
    try:
        ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=ROOT):
            return ROOT
    except OSError:
        return Path(tempfile.mkdtemp(prefix="sparse-attack-explorer-"))


def file_for(key: str, suffix: str) -> Path:
    """The file of one run; the oldest of the folder's files make room for it."""
    files = sorted(folder().glob("*.*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in files[FILES:]:
        old.unlink(missing_ok=True)
    return folder() / f"{key}{suffix}"


def key_of(*known: Any) -> str:
    """The same for two people who ask for the same."""
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:32]


def control(run: LongRun, start: str, resume: str | None, rest: str, key: str = "run") -> None:
    """The line that belongs to a long run: its progress and Stop while it is active, else `rest` and the button that
    starts it (`resume`, once something is done) or none where both are empty.
    """
    with st.container(key=key, horizontal=True, vertical_alignment="center"):
        if run.active:
            st.fragment(_watch, run_every=LOOK)(run, key)
            return
        st.caption(rest)
        if run.job is not None and run.job.error is not None:
            known = isinstance(run.job.error, ValueError | FetchFailed)
            st.error(str(run.job.error) if known else "It broke off: see the log.")
        label = resume or start
        if label:
            st.button(label, type="primary", on_click=_start, args=[run], key=f"start-{key}")


def _start(run: LongRun) -> None:
    try:
        run.start()
    except QueueFull as error:
        st.session_state.queue_full = str(error)


def _watch(run: LongRun, key: str) -> None:
    """Looks again and again; when the run has ended, the whole page is drawn anew."""
    if not run.active:
        st.rerun(scope="app")
    job = run.job
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(*progress_of(job, queue_for(run._device)))
        st.button("Stop", on_click=job.cancel, key=f"stop-{key}")
