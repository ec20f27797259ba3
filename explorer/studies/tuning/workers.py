"""Doing the trials of a study, alone or beside other workers."""

import dataclasses
import time
from collections.abc import Callable

import optuna
import torch
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import fail_stale_trials
from optuna.trial import Trial, TrialState

from explorer.studies.tuning.database import completed, every, experimental, usable
from explorer.studies.tuning.outcome import Stopped, measure
from explorer.studies.tuning.sqlite import LOOK
from explorer.studies.tuning.task import Task
from explorer.types import OnStep, Step

FAILURES = 3  # in a row, after which a worker goes no further


def work(
    study: optuna.Study,
    task: Task,
    trials: int,
    *,
    on_step: OnStep | None = None,
    on_trial: Callable[[optuna.Study], None] | None = None,
) -> bool:
    """Do trials until the study has `trials` of them; False if it was stopped before.

    `on_trial` hears of the study when it may have more. With several workers there may be one trial more for each of
    them. A trial that is stopped goes back to those that wait. Raises ValueError with one sentence after FAILURES
    failed trials in a row, and if the database cannot be used any more.
    """
    # Optuna's MaxTrialsCallback counts what is complete only: each worker would begin a trial too many, and the last
    # one would leave before a dead one's trial is given up. So trials in other hands are counted and waited for.
    watched: set[int] = set()
    failures = 0
    with usable(f"The study {study.study_name!r} cannot go on", (StorageInternalError,)):
        while len(complete := completed(study, task)) < trials:
            if on_trial:
                on_trial(study)
            running = [trial for trial in every(study, task) if trial.state == TrialState.RUNNING]
            if len(complete) + len(running) < trials:
                ended = _do_one(study, task, on_step)
                if ended is None:
                    return False
                failures = 0 if ended else failures + 1
                if failures == FAILURES:
                    raise ValueError(f"{FAILURES} trials in a row failed, so {study.study_name!r} goes no further.")
            elif on_step is not None and on_step(_waiting(task)):
                return False
            else:  # the rest is in other hands; if those die, it comes back
                unwatched = {trial._trial_id for trial in running} - watched
                for trial_id in unwatched:  # Optuna would wait for ever for a worker that died before its heartbeat
                    study._storage.record_heartbeat(trial_id)
                watched |= unwatched
                time.sleep(LOOK)
                with experimental(), usable(f"The study {study.study_name!r} cannot go on", (Exception,)):
                    fail_stale_trials(study)  # which reads what others may have written
        if on_trial:
            on_trial(study)
    return True


def _do_one(study: optuna.Study, task: Task, on_step: OnStep | None) -> bool | None:
    """One trial: whether it came to its end. None if it was stopped: its setting then waits for another worker, or for
    this one to come back.
    """
    current: list[Trial] = []
    ended: list[TrialState] = []

    def objective(trial: Trial) -> tuple[float, ...]:
        current.append(trial)
        found = measure(task, task.suggest(trial), on_step)
        for name, value in dataclasses.asdict(found).items():
            trial.set_user_attr(name, value)
        return found.pixels, found.success, found.seconds

    try:
        with experimental():
            study.optimize(objective, n_trials=1, callbacks=[lambda _study, trial: ended.append(trial.state)])
    except (Stopped, KeyboardInterrupt):
        study.enqueue_trial(current[0].params)
        return None
    except UpdateFinishedTrialError:  # it took so long that another worker was given this trial
        return False
    return ended == [TrialState.COMPLETE]


def _waiting(task: Task) -> Step:
    nothing = torch.zeros(0)
    return Step("optimised", 0, 1, nothing.long(), nothing)
