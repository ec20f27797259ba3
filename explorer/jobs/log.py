"""A line for each job that has ended, for who runs the server: what it cost, and nothing of who asked or what is in it.

Off unless EXPLORER_LOG is set: "-" is stderr, all else a file that lines are added to. A line is a JSON object:
`time` (UTC), `kind` of work, `network` (the first 12 digits of its content's SHA-256; "" none, or several), `device`,
`waited` and `worked` (seconds), `batch` (questions that were worked on together), `outcome`: done, failed, cancelled,
or left, where nobody waited for it any more.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.jobs.job import Job

_log = logging.getLogger(__name__)

VARIABLE = "EXPLORER_LOG"
STDERR = "-"
DIGITS = 12  # of a network's hash


def check_log() -> None:
    """Raises ValueError with one sentence where lines cannot be written."""
    place = os.environ.get(VARIABLE, "")
    try:
        if place not in ("", STDERR):
            _write(place, "")
    except OSError as error:
        raise ValueError(f"{VARIABLE} names a file that cannot be written, {place}: {error.strerror}.") from None


def log_job(job: "Job") -> None:
    """Write the line of a job that has ended, if anybody wants it."""
    if not (place := os.environ.get(VARIABLE, "")):
        return
    about = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "kind": job.kind,
        "network": job.network[:DIGITS],
        "device": job.device,
        "waited": round(job.waited, 3),
        "worked": round(job.seconds, 3),
        "batch": job.batch,
        "outcome": "left" if job.superseded else job.state,
    }
    try:
        _write(place, json.dumps(about) + "\n")
    except OSError as error:  # a full disk stops nobody's work
        _log.warning("A line for %s was lost: %s", VARIABLE, error.strerror)


def _write(place: str, text: str) -> None:
    """At once: lines of several threads, and of several servers, do not mix."""
    if place == STDERR:
        sys.stderr.write(text)
        sys.stderr.flush()
        return
    with open(place, "ab", buffering=0) as file:
        file.write(text.encode())
