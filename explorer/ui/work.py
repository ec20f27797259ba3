"""Work on what is shown that takes a moment: done by a job when it is asked for, and kept until another is shown."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.classifiers import Classifier
from explorer.jobs import Job, queue_for
from explorer.limits import limits
from explorer.locks import own_twin
from explorer.ui.caches import content_of, seconds_per_step
from explorer.ui.markdown import plain
from explorer.ui.presence import presence
from explorer.ui.runs import StatusLine
from explorer.ui.session import session

KEPT = 16  # results of a visit: a page may ask for another one with every click
PASSES = 3000  # forward and backward passes after which the work is asked to stop


def result_of(name: str, clf: Classifier, work: Callable[[Job, Classifier], Any]) -> Any | None:
    """What `work` returns, which is given the job and a twin of the network, its worker's own: from before, or by a job
    that this waits for. None while there is nothing, with a sentence and a button where it was stopped, for instance by
    `advance`.
    """

    def until_stopped(job: Job) -> Any | None:
        try:
            return work(job, own_twin(clf))
        except InterruptedError:
            return None

    me, queue = session(), queue_for(str(clf.device))
    jobs, results = me.jobs, me.results  # of what is shown now: a later run of the page may already show another
    status = StatusLine(f"status-{name}")
    if name not in results:
        job = jobs.get(name)
        if job is None or job.superseded:
            deadline = max(limits().run_seconds, PASSES * seconds_per_step(clf))
            about = {"kind": name.partition("-")[0], "network": content_of(clf)}
            job = jobs[name] = queue.submit(until_stopped, me.owner, deadline, wanted=presence(), **about)
        status.watch(job, queue)  # may be interrupted, by Stop for instance: the next run watches on
        if job.superseded:  # by other work of this visitor: the next run begins anew
            return None
        jobs.pop(name, None)
        if isinstance(job.error, ValueError):
            st.error(plain(job.error))
            return None
        if job.error is not None:
            raise job.error
        results[name] = job.result
        for old in [*results][:-KEPT]:
            del results[old]
    if results[name] is None:
        status.rest("Stopped.", "Try again", lambda: results.pop(name, None))
        return None
    status.rest("")
    return results[name]


def advance(job: Job, done: int, total: int, text: str) -> None:
    """Report progress from within the work of `result_of`, which ends here once it was asked to stop."""
    job.report(done, total, text)
    if job.should_stop:
        raise InterruptedError
