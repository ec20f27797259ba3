"""A batch: the runs of several people that are done together, each with its own progress, Stop and result."""

import threading
from collections.abc import Hashable, Sequence
from typing import Any

from explorer.jobs.job import Job, Part


class Row:
    """One question of a batch, and everybody who waits for its answer."""

    def __init__(self, what: Any) -> None:
        self.what = what
        self._jobs: list[Job] = []
        self._closed = False  # it has its answer
        self._rows = 1  # of the batch
        self._guard = threading.Lock()

    def join(self, job: Job) -> bool:
        """Wait for this answer as well; False where it is there already, or nobody waits for it any more."""
        with self._guard:
            others = [each for each in self._jobs if not each.ended and not each.should_stop]
            if self._closed or (self._jobs and not others):
                return False
            self._jobs.append(job)
            job.batch = self._rows
        if others:
            job.tell(others[0].done, others[0].total, others[0].text)
        return True

    @property
    def waiting(self) -> list[Job]:
        """Those who have no answer yet; who has left gets none."""
        with self._guard:
            jobs = [*self._jobs]
        for job in jobs:
            if job.look() and job.superseded:
                job.settle(None)
        return [job for job in jobs if not job.ended]

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for the whole answer."""
        return any(not job.should_stop for job in self.waiting)

    def begin(self, rows: int) -> None:
        """The turn of those who wait has come, together with so many rows in all, which takes longer than alone."""
        with self._guard:
            self._rows = rows
        for job in self.waiting:
            job.batch = rows
            job.deadline *= rows
            job.begin()

    def tell(self, done: float, total: float, text: str = "") -> list[Job]:
        """Say how far it is. Returns those who have asked to stop, and want what is found so far."""
        for job in self.waiting:
            job.tell(done, total, text)
        return [job for job in self.waiting if job.should_stop and not job.superseded]

    def settle(self, result: Any) -> None:
        """The answer, for everybody who waits."""
        self._close()
        for job in self.waiting:
            job.settle(result)

    def fail(self, error: BaseException) -> None:
        """There is none, and why."""
        self._close()
        for job in self.waiting:
            job.fail(error)

    def _close(self) -> None:
        with self._guard:
            self._closed = True


class Batch:
    """Jobs whose parts are of one kind; equal questions are one row."""

    def __init__(self, jobs: Sequence[tuple[Job, Part]]) -> None:
        self.jobs = [job for job, _ in jobs]
        self._part = jobs[0][1]
        self._rows: dict[Hashable, Row] = {}
        for job, part in jobs:
            self._rows.setdefault(part.question, Row(part.what)).join(job)

    def join(self, job: Job) -> bool:
        """Let a job whose question is being answered wait for that answer; False where it is not."""
        part = job.part
        row = self._rows.get(part.question) if part and part.kind == self._part.kind else None
        if row is None or not row.join(job):
            return False
        job.begin()
        return True

    def run(self) -> None:
        """Do the work of all rows. Where that fails, each is done on its own, so that nobody pays for another."""
        rows = [row for row in self._rows.values() if row.wanted]
        for row in self._rows.values():
            if row not in rows:
                row.settle(None)  # all have asked to stop
        for row in rows:
            row.begin(len(rows))
        try:
            self._do(rows)
        except BaseException as error:
            if len(rows) == 1:
                rows[0].fail(error)
                return
            for row in rows:
                try:
                    self._do([row] if row.wanted else [])
                    row.settle(None)
                except BaseException as its_own:
                    row.fail(its_own)

    def _do(self, rows: Sequence[Row]) -> None:
        if rows:
            self._part.together(rows)
        for row in rows:
            row.settle(None)
