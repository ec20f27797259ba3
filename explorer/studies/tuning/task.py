"""What is tuned: which knobs, from which setting, for which network and pictures."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial
from torch import nn

from explorer.attacks import Attack
from explorer.hashes import image_sha256, network_sha256
from explorer.knobs import Knob, knobs
from explorer.types import Images, Labels

FIXED = {
    "unit",
    "seed",
    "max_pixels",
    "max_change",
    "confidence",
}  # what is counted, kept and allowed is no question of tuning
STEPPING = ("step_size", "momentum")  # knobs that are worth tuning beside an attack's main ones


def tunable(attack: Attack | type[Attack]) -> dict[str, Knob]:
    """The knobs of an attack that can be tuned: those with a range or with choices."""
    return {name: each for name, each in knobs(attack).items() if (each.slider or each.choices) and name not in FIXED}


def usual(attack: Attack | type[Attack]) -> tuple[str, ...]:
    """The knobs that are tuned where nothing else is asked for: the main ones, and how large steps are."""
    return tuple(name for name in (*attack.main, *STEPPING) if name in tunable(attack))


@dataclass(frozen=True)
class Task:
    """What is tuned: the knobs `over`, from `base`, for a network on images (n, 3, h, w) with labels (n,)."""

    network: nn.Module
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

    @cached_property
    def fingerprint(self) -> str:
        """The same for two tasks whose trials may be compared, on whatever devices: no number of it was computed."""
        known = [type(self.base).__name__, dataclasses.asdict(self.base), self.over, self.labels.tolist()]
        known += [image_sha256(self.images), network_sha256(self.network)]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """What the sampler draws each setting from."""
        known = tunable(self.base)
        return {name: _distribution(known[name]) for name in self.over}

    def suggest(self, trial: Trial) -> Attack:
        """The setting that the study's sampler proposes."""
        return dataclasses.replace(
            self.base, **{name: _suggest(trial, name, of) for name, of in self.distributions.items()}
        )

    def setting(self, trial: FrozenTrial) -> Attack:
        """The setting of a trial."""
        return dataclasses.replace(self.base, **trial.params)


def _distribution(knob: Knob) -> BaseDistribution:
    if knob.choices:
        return CategoricalDistribution(knob.choices)
    low, high = knob.slider
    if isinstance(knob.default, int):
        return IntDistribution(int(low), int(high), log=knob.log)
    return FloatDistribution(low, high, log=knob.log)


def _suggest(trial: Trial, name: str, of: BaseDistribution) -> float | int | str:
    if isinstance(of, CategoricalDistribution):
        return trial.suggest_categorical(name, of.choices)
    if isinstance(of, IntDistribution):
        return trial.suggest_int(name, of.low, of.high, log=of.log)
    return trial.suggest_float(name, of.low, of.high, log=of.log)
