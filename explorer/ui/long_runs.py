"""Work that goes on while its page is closed: kept on the server by what was asked for, so a link finds it again."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.jobs import AGAIN, EXPECTED, Job, queue_for
from explorer.limits import limits
from explorer.ui.markdown import plain
from explorer.ui.run_files import make_room
from explorer.ui.runs import progress_of
from explorer.ui.session import session
from explorer.ui.stores import server_wide

KEPT = 32  # in memory; what was done is also on the disk
LOOK = 0.7  # seconds between two looks


class LongRun:
    """One piece of long work: started, stopped and started again, by whoever has its link."""

    def __init__(
        self,
        key: str,
        device: str,
        advance: Callable[[Job], bool],
        of: Any,
        *,
        kind: str,
        network: str = "",
        path: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        """`advance` does the next part and says whether there is more; `of` is what the work is about; `kind` and
        `network`: what the log says of it; `path`: the file that it makes; `deadline`: the seconds of work after which
        a person must ask for more, by default the server's limit.
        """
        self.key, self.device, self.of, self.path = key, device, of, path
        self._about = {"kind": kind, "network": network}
        self._advance, self._deadline = advance, limits().long_run_seconds if deadline is None else deadline
        self.job: Job | None = None
        self.keeper: LongRuns | None = None  # that has given it, and starts it

    @property
    def active(self) -> bool:
        return self.job is not None and not self.job.ended

    def start(self, person: str | None = None) -> None:
        """Begin, or go on. `person`: who asks for it, and takes turns with others."""
        if not self.active:
            line, deadline = queue_for(self.device), self._deadline
            self.job = line.submit(self._work, owner=self.key, deadline=deadline, person=person, **self._about)

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
        """The one of this key, made if need be. Those that were not asked for longest, and do nothing, make room."""
        with self._guard:
            if key not in self._kept:
                self._kept[key] = make()
                self._kept[key].keeper = self
            self._kept.move_to_end(key)
            idle = [name for name, run in self._kept.items() if name != key and not run.active]
            for old in idle[: max(0, len(self._kept) - self._limit)]:
                del self._kept[old]
            return self._kept[key]

    def start(self, run: LongRun, person: str | None = None) -> None:
        """Start a run that `get` has given, even if it had to make room since."""
        run = self.get(run.key, lambda: run)
        with self._guard:  # of two visitors who press at once, the second finds it at work
            if run.path is not None and not run.path.exists():
                make_room({each.path for each in self._kept.values()}, limits().run_files)
            run.start(person)


@server_wide
def long_runs() -> LongRuns:
    """The one store of this server."""
    return LongRuns()


def own_runs() -> LongRuns:
    """Those of the visit that is asking: of a network that only this visitor has, and that goes with the visit."""
    return st.session_state.setdefault("own_runs", LongRuns())


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
            known = isinstance(run.job.error, EXPECTED)
            st.error(plain(run.job.error) if known else "It broke off: see the log.")
        label = resume or start
        if label:
            st.button(label, type="primary", on_click=_start, args=[run], key=f"start-{key}")


def _start(run: LongRun) -> None:
    run.keeper.start(run, session().owner)


def _watch(run: LongRun, key: str) -> None:
    """Looks again and again; when the run has ended, the whole page is drawn anew."""
    if not run.active:
        st.rerun(scope="app")
    job = run.job
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(*progress_of(job, queue_for(run.device)))
        st.button("Stop", on_click=job.cancel, key=f"stop-{key}")
