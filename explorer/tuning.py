"""Find the best setting for a network and its pictures: an Optuna study of pixels, success and time.

The study lies in a database, so it can be resumed, and several processes or machines can work on it: each trial belongs
to one worker, and the trial of a worker that dies is given to another once its heartbeat has been missing for GRACE.
"""

import dataclasses
import hashlib
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import torch
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, Trial, TrialState

from explorer.attacks import Attack
from explorer.grid import levels
from explorer.knobs import Knob, knobs
from explorer.types import Images, Labels, Network, OnStep, Step

FIXED = {"unit", "seed", "max_pixels", "max_change"}  # what is counted, kept and allowed is no question of tuning
STEPPING = ("step_size", "momentum")  # knobs that are worth tuning beside an attack's main ones
GOALS = {"pixels": "minimize", "success": "maximize", "seconds": "minimize"}
HEARTBEAT, GRACE = 5, 60  # seconds
HOPELESS = 1 / 8  # share of the pixels: a trial whose optimised stage leaves more of them on average goes no further
LOOK = 0.5  # seconds between two looks at the trials of other workers
ATTEMPTS = 4  # to open a database
FIRST_AT_RANDOM = 10  # trials before the sampler learns from them

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Stopped(Exception):
    """Raised inside a trial that was asked to stop: it goes back to those that wait."""


class Hopeless(Exception):
    """Raised inside a trial whose setting leaves so many pixels that pruning them takes seconds a picture."""


def tunable(attack: Attack | type[Attack]) -> dict[str, Knob]:
    """The knobs of an attack that can be tuned: those with a range or with choices."""
    return {name: each for name, each in knobs(attack).items() if (each.slider or each.choices) and name not in FIXED}


def usual(attack: Attack | type[Attack]) -> tuple[str, ...]:
    """The knobs that are tuned where nothing else is asked for: the main ones, and how large steps are."""
    return tuple(name for name in (*attack.main, *STEPPING) if name in tunable(attack))


@dataclass(frozen=True)
class Task:
    """What is tuned: the knobs `over`, from `base`, for a network on images (n, 3, h, w) with labels (n,)."""

    network: Network
    images: Images
    labels: Labels
    base: Attack
    over: tuple[str, ...]

    def __post_init__(self) -> None:
        known = tunable(self.base)
        for name in self.over:
            if name not in known:
                raise ValueError(f"{name!r} cannot be tuned: some of {', '.join(known)} are expected.")
        if not self.over:
            raise ValueError("There is nothing to tune: name at least one setting.")

    @property
    def fingerprint(self) -> str:
        """The same for two tasks whose trials may be compared."""
        pixels = levels(self.images).cpu().contiguous().numpy().tobytes()
        known = [type(self.base).__name__, dataclasses.asdict(self.base), self.over]
        known += [self.labels.tolist(), hashlib.sha256(pixels).hexdigest()]
        with torch.no_grad():
            logits = self.network(self.images[:1])[0].double().cpu()
        known.append([float(f"{logit:.3g}") for logit in logits])  # alike on all devices
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def suggest(self, trial: Trial) -> Attack:
        """The setting that the study's sampler proposes."""
        known = tunable(self.base)
        return dataclasses.replace(self.base, **{name: _suggest(trial, known[name]) for name in self.over})

    def setting(self, trial: FrozenTrial) -> Attack:
        """The setting of a trial."""
        return dataclasses.replace(self.base, **trial.params)


@dataclass(frozen=True)
class Outcome:
    """What one setting did on some pictures."""

    n_pixels: tuple[int | None, ...]  # per picture; None where it was not fooled
    seconds: float  # per picture
    size: int  # pixels of a picture

    @property
    def success(self) -> float:
        return sum(count is not None for count in self.n_pixels) / len(self.n_pixels)

    @property
    def pixels(self) -> float:
        """Mean of the fooled pictures; the whole picture where none was fooled."""
        fooled = [count for count in self.n_pixels if count is not None]
        return statistics.fmean(fooled) if fooled else float(self.size)


@dataclass(frozen=True)
class Difference:
    """Mean difference in pixels between two settings on the pictures that both fooled, with its 95 % interval."""

    mean: float
    half_width: float
    pictures: int

    @classmethod
    def between(cls, one: Sequence[int | None], other: Sequence[int | None]) -> "Difference":
        """`one` less `other`, picture by picture; the interval is 1.96 standard errors, infinite for one picture."""
        each = [a - b for a, b in zip(one, other, strict=True) if a is not None and b is not None]
        if len(each) < 2:
            return cls(statistics.fmean(each) if each else math.nan, math.inf, len(each))
        return cls(statistics.fmean(each), 1.96 * statistics.stdev(each) / math.sqrt(len(each)), len(each))

    @property
    def verdict(self) -> str:
        """fewer, more, or equal within error."""
        if self.mean + self.half_width < 0:
            return "fewer"
        return "more" if self.mean - self.half_width > 0 else "equal within error"

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ± {self.half_width:.2f} pixels on {self.pictures} pictures"


@dataclass(frozen=True)
class Recommendation:
    """The setting to use, and why."""

    attack: Attack
    trial: int
    outcome: Outcome
    default: Outcome | None  # of the setting that the study started from, on the same pictures
    reason: str  # one or two sentences


def measure(task: Task, attack: Attack, on_step: OnStep | None = None) -> Outcome:
    """Attack the task's pictures with a setting; one that leaves too many pixels counts as fooling none of them.

    Raises Stopped if `on_step` asks to stop.
    """
    counts: list[int | None] = []
    n_pictures, n_pixels, started = len(task.images), task.images[0, 0].numel(), time.perf_counter()

    def watch(step: Step) -> bool:
        optimised = step.stage == "optimised" and step.done == attack.rounds
        if optimised and attack.prune and statistics.fmean(step.n_pixels.tolist()) > HOPELESS * n_pixels:
            raise Hopeless
        return on_step is not None and bool(on_step(step))

    try:
        result = attack(task.network, task.images, task.labels, on_step=watch)
        if result.stopped:
            raise Stopped
        fooled = zip(result.n_pixels.tolist(), result.succeeded.tolist(), strict=True)
        counts = [count if success else None for count, success in fooled]
    except Hopeless:
        counts = [None] * n_pictures
    return Outcome(tuple(counts), (time.perf_counter() - started) / n_pictures, n_pixels)


def open_study(url: str, name: str, task: Task, *, heartbeat: int = HEARTBEAT, grace: int = GRACE) -> optuna.Study:
    """The study of this name in the database at `url`, made if need be; its first trial is the task's base setting.

    `url` is SQLAlchemy's, e.g. sqlite:///out/tune.db. Raises ValueError if the study there is of another task, or the
    database cannot be used.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        storage = _storage(url, heartbeat, grace)
        sampler = _sampler()
        try:
            study = optuna.create_study(storage=storage, study_name=name, directions=[*GOALS.values()], sampler=sampler)
        except DuplicatedStudyError:
            study = optuna.load_study(storage=storage, study_name=name, sampler=sampler)
        else:  # this process made it, so no other one puts in the first trial as well
            study.set_user_attr("task", task.fingerprint)
            study.enqueue_trial({name: getattr(task.base, name) for name in task.over})
            with _experimental():
                study.set_metric_names([*GOALS])
    except Exception as error:  # drivers raise what they like
        raise ValueError(f"The study {name!r} cannot be opened at {url}: {error}") from error
    if study.user_attrs.get("task", task.fingerprint) != task.fingerprint:
        raise ValueError(
            f"The study {name!r} at {url} is about other pictures, another network or other settings: name a new one."
        )
    return study


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
    them. A trial that is stopped goes back to those that wait.
    """
    watched: set[int] = set()
    while (complete := completed(study)) is not None and len(complete) < trials:
        if on_trial:
            on_trial(study)
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if len(complete) + len(running) < trials:
            if not _do_one(study, task, on_step):
                return False
        elif on_step is not None and on_step(_waiting(task)):
            return False
        else:  # the rest is in other hands; if those die, it comes back
            unwatched = {trial._trial_id for trial in running} - watched
            for trial_id in unwatched:  # Optuna would wait for ever for a worker that died before its first heartbeat
                study._storage.record_heartbeat(trial_id)
            watched |= unwatched
            time.sleep(LOOK)
            with _experimental():
                fail_stale_trials(study)
    if on_trial:
        on_trial(study)
    return True


def completed(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that came to an end."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def outcome(trial: FrozenTrial) -> Outcome:
    """What a completed trial found."""
    kept = trial.user_attrs
    return Outcome(tuple(kept["n_pixels"]), kept["seconds"], kept["size"])


def recommend(study: optuna.Study, task: Task) -> Recommendation | None:
    """Of the trials that fool most often, the one with the fewest pixels; a quicker one if it needs no more of them
    within the error of the difference. None before the first trial has ended.
    """
    trials = completed(study)
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
        f"Of {len(trials)} settings, {len(able)} fool {success:.0%} of the pictures, the most of all. "
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


def _do_one(study: optuna.Study, task: Task, on_step: OnStep | None) -> bool:
    """One trial; False if it was stopped. Its setting then waits for another worker, or for this one to come back."""
    current: list[Trial] = []

    def objective(trial: Trial) -> tuple[float, ...]:
        current.append(trial)
        found = measure(task, task.suggest(trial), on_step)
        trial.set_user_attr("n_pixels", found.n_pixels)
        trial.set_user_attr("seconds", found.seconds)
        trial.set_user_attr("size", found.size)
        return found.pixels, found.success, found.seconds

    try:
        with _experimental():
            study.optimize(objective, n_trials=1)
    except (Stopped, KeyboardInterrupt):
        study.enqueue_trial(current[0].params)
        return False
    except UpdateFinishedTrialError:  # it took so long that another worker was given this trial
        pass
    return True


def _storage(url: str, heartbeat: int, grace: int) -> RDBStorage:
    """The database. Two processes that come first at the same time both make its tables, and one of them fails: it
    finds them when it tries again.
    """
    for attempt in range(ATTEMPTS):
        try:
            with _experimental():
                return RDBStorage(
                    url,
                    engine_kwargs={"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {},
                    heartbeat_interval=heartbeat,
                    grace_period=grace,
                    heartbeat_stale_trial_callback=lambda study, trial: study.enqueue_trial(trial.params),
                )
        except Exception:  # drivers raise what they like
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(LOOK)
    raise AssertionError("unreachable")


def _suggest(trial: Trial, knob: Knob) -> float | int | str:
    if knob.choices:
        return trial.suggest_categorical(knob.name, knob.choices)
    low, high = knob.slider
    if isinstance(knob.default, int):
        return trial.suggest_int(knob.name, int(low), int(high), log=knob.log)
    return trial.suggest_float(knob.name, low, high, log=knob.log)


def _sampler() -> optuna.samplers.BaseSampler:
    """Without a seed, so that no two workers propose the same."""
    with _experimental():
        return optuna.samplers.TPESampler(n_startup_trials=FIRST_AT_RANDOM, constant_liar=True)


def _waiting(task: Task) -> Step:
    nothing = torch.zeros(0)
    return Step("optimised", 0, 1, nothing.long(), nothing)


@contextmanager
def _experimental() -> Iterator[None]:
    """Optuna warns of what may change in its next version; the requirements allow this one only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
