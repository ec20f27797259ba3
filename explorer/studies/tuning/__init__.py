"""Find the best setting for a network and its pictures: an Optuna study of pixels, success and time.

The study lies in a database, so it can be resumed, and several processes or machines can work on it: each trial belongs
to one worker, and the trial of a worker that dies is given to another once its heartbeat has been missing for GRACE.
"""

from explorer.studies.tuning.database import completed, open_study, outcome
from explorer.studies.tuning.outcome import Difference, Outcome, Stopped, measure
from explorer.studies.tuning.recommendation import Check, Recommendation, check, checked, recommend
from explorer.studies.tuning.sqlite import MAGIC, shown
from explorer.studies.tuning.task import Task, tunable, usual
from explorer.studies.tuning.workers import work

__all__ = [
    "MAGIC",
    "Check",
    "Difference",
    "Outcome",
    "Recommendation",
    "Stopped",
    "Task",
    "check",
    "checked",
    "completed",
    "measure",
    "open_study",
    "outcome",
    "recommend",
    "shown",
    "tunable",
    "usual",
    "work",
]
