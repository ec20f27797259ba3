"""The study in its database: opened, told from other people's, and read."""

import dataclasses
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import optuna
from optuna.distributions import check_distribution_compatibility
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from explorer.studies.tuning.outcome import Outcome
from explorer.studies.tuning.sqlite import ATTEMPTS, LOOK, prepare, shown
from explorer.studies.tuning.task import Task

GOALS = {"pixels": "minimize", "success": "maximize", "seconds": "minimize"}
HEARTBEAT, GRACE = 5, 60  # seconds
TOLD = 300  # characters of what a driver says, which may repeat what it has read
RETRIES = 3  # of a trial whose workers die: it may be the trial that kills them
FINGERPRINT = "task"  # the attribute that tells our studies from those of others
FIRST_AT_RANDOM = 10  # trials before the sampler learns from them

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_study(url: str, name: str, task: Task, *, heartbeat: int = HEARTBEAT, grace: int = GRACE) -> optuna.Study:
    """The study of this name in the database at `url`, made if need be; its first trial is the task's base setting.

    `url` is SQLAlchemy's, e.g. sqlite:///out/tune.db. Raises ValueError, before anything is written into it, if the
    study there is of another task or of another program, and if the database cannot be used.
    """
    where = shown(url)
    with usable(f"The study {name!r} cannot be opened at {where}", (Exception,)):  # drivers raise what they like
        prepare(url)
        storage = _storage(url, heartbeat, grace)
        sampler = _sampler()
        try:
            study = optuna.create_study(storage=storage, study_name=name, directions=[*GOALS.values()], sampler=sampler)
        except DuplicatedStudyError:
            study = optuna.load_study(storage=storage, study_name=name, sampler=sampler)
            fingerprint, goals = _fingerprint(study), [direction.name.lower() for direction in study.directions]
        else:  # this process made it, so no other one puts in the first trial as well
            study.set_user_attr(FINGERPRINT, task.fingerprint)
            study.enqueue_trial({name: getattr(task.base, name) for name in task.over})
            with experimental():
                study.set_metric_names([*GOALS])
            return study
    if fingerprint is None or goals != [*GOALS.values()]:
        raise ValueError(f"The study {name!r} at {where} was not made by this program: name a new one.")
    if fingerprint != task.fingerprint:
        raise ValueError(
            f"The study {name!r} at {where} is about other pictures, another network or other settings: name a new one."
        )
    every(study, task)
    return study


def _fingerprint(study: optuna.Study) -> str | None:
    """That of the study's task. Whoever makes a study writes it a moment later, so a missing one is waited for."""
    for _ in range(ATTEMPTS):
        if (found := study.user_attrs.get(FINGERPRINT)) is not None:
            return found
        time.sleep(LOOK)
    return None


def every(study: optuna.Study, task: Task) -> list[FrozenTrial]:
    """All trials. Raises ValueError with one sentence if they cannot be read, or one of them is not this program's."""
    with usable(f"The study {study.study_name!r} cannot be read", (Exception,)):
        trials = study.get_trials(deepcopy=False)
    for trial in trials:
        if not _fits(trial, task):
            raise ValueError(
                f"Trial {trial.number} of the study {study.study_name!r} was not made by this program, or was changed: "
                "name a new one."
            )
    return trials


def completed(study: optuna.Study, task: Task) -> list[FrozenTrial]:
    """The trials that came to an end; see `every`."""
    return [trial for trial in every(study, task) if trial.state == TrialState.COMPLETE]


def outcome(trial: FrozenTrial) -> Outcome:
    """What a completed trial found."""
    return Outcome.from_kept(trial.user_attrs)


def _fits(trial: FrozenTrial, task: Task) -> bool:
    """Whether a trial is one that `work` may have put into the study of this task: another program can write anything
    there, and a trial that waits decides over the next setting.
    """
    fixed = trial.system_attrs.get("fixed_params", {})
    try:
        for params in (trial.params, fixed):
            dataclasses.replace(task.base, **params)
        for name, distribution in trial.distributions.items():
            check_distribution_compatibility(task.distributions[name], distribution)
        known = {*trial.params} <= {*task.over} and {*fixed} <= {*task.over}
        if trial.state != TrialState.COMPLETE:
            return known
        found = outcome(trial)
        goals = [found.pixels, found.success, found.seconds]
        same = len(found.n_pixels) == len(task.images) and found.size == task.images[0, 0].numel()
        return known and same and {*trial.params} == {*task.over} and np.allclose(trial.values, goals)
    except (ValueError, TypeError, KeyError):  # names and kinds that no setting has
        return False


def _storage(url: str, heartbeat: int, grace: int) -> RDBStorage:
    """The database. Two processes that come first at the same time both make its tables, and one of them fails: it
    finds them when it tries again.
    """
    for attempt in range(ATTEMPTS):
        try:
            with experimental():
                return RDBStorage(
                    url,
                    engine_kwargs={"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {},
                    heartbeat_interval=heartbeat,
                    grace_period=grace,
                    heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
                )
        except Exception:  # drivers raise what they like
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(LOOK)
    raise AssertionError("unreachable")


def _sampler() -> optuna.samplers.BaseSampler:
    """Without a seed, so that no two workers propose the same."""
    with experimental():
        return optuna.samplers.TPESampler(n_startup_trials=FIRST_AT_RANDOM, constant_liar=True)


@contextmanager
def usable(what: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """What goes wrong with the database becomes one sentence: ValueError, with the driver's own words. Optuna hides
    them behind a guess that what was to be written is too long.
    """
    try:
        yield
    except Exception as error:
        causes = [*_causes(error)]
        if not any(isinstance(each, errors) for each in causes):
            raise
        told = str(causes[-1]).strip() or type(causes[-1]).__name__
        raise ValueError(f"{what}: {told.splitlines()[0][:TOLD].rstrip('.')}.") from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it; the first cause comes last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def experimental() -> Iterator[None]:
    """Optuna warns of what may change in its next version; the requirements allow this one only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
