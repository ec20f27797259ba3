"""The setting that a study recommends, and the check of it on pictures that the search has not seen."""

import dataclasses
from dataclasses import dataclass

import optuna
from optuna.exceptions import StorageInternalError

from explorer.attacks import Attack
from explorer.numerics import percent
from explorer.studies.tuning.database import completed, outcome, usable
from explorer.studies.tuning.outcome import Difference, Outcome, measure
from explorer.studies.tuning.task import Task
from explorer.types import OnStep


@dataclass(frozen=True)
class Recommendation:
    """The setting to use, and why."""

    attack: Attack
    trial: int
    outcome: Outcome
    default: Outcome | None  # of the setting that the study started from, on the same pictures
    reason: str  # one or two sentences


@dataclass(frozen=True)
class Check:
    """What the recommended setting, and the one that the search started from, did on pictures that it has not seen."""

    recommended: Outcome
    start: Outcome

    @property
    def difference(self) -> Difference:
        """The recommended setting less the other, picture by picture."""
        return Difference.between(self.recommended.n_pixels, self.start.n_pixels)


def recommend(study: optuna.Study, task: Task) -> Recommendation | None:
    """Of the trials that fool most often, the one with the fewest pixels; a quicker one if it needs no more of them
    within the error of the difference. None before the first trial has ended.
    """
    trials = completed(study, task)
    if not trials:
        return None
    success = max(outcome(trial).success for trial in trials)
    able = [trial for trial in trials if outcome(trial).success == success]
    fewest = min(able, key=lambda trial: (outcome(trial).pixels, outcome(trial).seconds))
    alike = [trial for trial in able if _no_worse(outcome(trial), outcome(fewest))]
    chosen = min(alike, key=lambda trial: outcome(trial).seconds)
    start = {name: getattr(task.base, name) for name in task.over}
    default = next((outcome(trial) for trial in trials if trial.params == start), None)
    found = outcome(chosen)
    reason = (
        f"Of {len(trials)} settings, {len(able)} fool {percent(success)} of the pictures of the search, the most of "
        "all. "
        f"The fewest pixels among them are {outcome(fewest).pixels:.2f} on average"
    )
    reason += (
        "; this is that setting."
        if chosen is fewest
        else f"; this one needs {found.pixels:.2f}, no more within error, and the least time."
    )
    return Recommendation(task.setting(chosen), chosen.number, found, default, reason)


def _no_worse(one: Outcome, best: Outcome) -> bool:
    difference = Difference.between(one.n_pixels, best.n_pixels)
    return one == best or difference.mean <= 0 or difference.mean <= difference.half_width / 1.96


def check(study: optuna.Study, best: Recommendation, unseen: Task, on_step: OnStep | None = None) -> Check:
    """Try a recommendation on the pictures of `unseen`. The result is kept in the study, where `checked` finds it.

    Raises Stopped if `on_step` asks to stop.
    """
    found = Check(measure(unseen, best.attack, on_step), measure(unseen, unseen.base, on_step))
    with usable(f"The study {study.study_name!r} cannot keep what the check found", (StorageInternalError,)):
        study.set_user_attr(_kept_as(best, unseen), dataclasses.asdict(found))
    return found


def checked(study: optuna.Study, best: Recommendation, unseen: Task) -> Check | None:
    """What the check of this recommendation on these pictures found; None if there was none, or if what the database
    holds in its place is not what `check` puts there: then it is done again.
    """
    with usable(f"The study {study.study_name!r} cannot be read", (Exception,)):
        kept = study.user_attrs.get(_kept_as(best, unseen))
    try:
        found = Check(**{name: Outcome.from_kept(each) for name, each in kept.items()})
    except (ValueError, TypeError, AttributeError):
        return None
    whole = all(len(each.n_pixels) == len(unseen.images) for each in (found.recommended, found.start))
    return found if whole else None


def _kept_as(best: Recommendation, unseen: Task) -> str:
    return f"check of trial {best.trial} on {unseen.fingerprint}"
