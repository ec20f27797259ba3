"""Work that takes a while: one line per device and one worker each, with progress, cancelling and a deadline.

A person waits for one thing at a time: a new job of the same owner takes the place of the older one. What can be done
together is done in one batch. Long work takes turns: while others wait, it ends its turn and goes to the end of the
line. There is one way to stop: `cancel()` asks, and the work looks at `should_stop`.
"""

from explorer.jobs.batch import Row
from explorer.jobs.job import AGAIN, EXPECTED, Job, Part, Superseded
from explorer.jobs.log import check_log
from explorer.jobs.queue import JobQueue, Wait, queue_for

__all__ = ["AGAIN", "EXPECTED", "Job", "JobQueue", "Part", "Row", "Superseded", "Wait", "check_log", "queue_for"]
