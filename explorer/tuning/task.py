"""What is tuned: which knobs, from which setting, for which network and pictures."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from optuna.trial import FrozenTrial, Trial
from torch import nn

from explorer.attacks import SparseAttack
from explorer.hashes import image_sha256, network_sha256
from explorer.knobs import Knob, knobs
from explorer.types import Images, Labels

OVER = ("a", "lam", "tau", "step_size", "momentum")  # what is tuned where nothing else is asked for


def tunable() -> dict[str, Knob]:
    """The knobs that can be tuned: those with a range or with choices. What is counted and kept is no question of
    tuning.
    """
    fixed = {"unit", "seed", "max_pixels"}
    return {
        name: each for name, each in knobs(SparseAttack).items() if (each.slider or each.choices) and name not in fixed
    }


@dataclass(frozen=True)
class Task:
    """What is tuned: the knobs `over`, from `base`, for a network on images (n, 3, h, w) with labels (n,)."""

    network: nn.Module
    images: Images
    labels: Labels
    base: SparseAttack
    over: tuple[str, ...] = OVER

    def __post_init__(self) -> None:
        for name in self.over:
            if name not in tunable():
                raise ValueError(f"{name!r} cannot be tuned: some of {', '.join(tunable())} are expected.")
        if not self.over:
            raise ValueError("There is nothing to tune: name at least one setting.")

    @cached_property
    def fingerprint(self) -> str:
        """The same for two tasks whose trials may be compared, on whatever devices: no number of it was computed."""
        known = [dataclasses.asdict(self.base), self.over, self.labels.tolist(), image_sha256(self.images)]
        known.append(network_sha256(self.network))
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def suggest(self, trial: Trial) -> SparseAttack:
        """The setting that the study's sampler proposes."""
        return dataclasses.replace(self.base, **{name: _suggest(trial, tunable()[name]) for name in self.over})

    def setting(self, trial: FrozenTrial) -> SparseAttack:
        """The setting of a trial."""
        return dataclasses.replace(self.base, **trial.params)


def _suggest(trial: Trial, knob: Knob) -> float | int | str:
    if knob.choices:
        return trial.suggest_categorical(knob.name, knob.choices)
    low, high = knob.slider
    if isinstance(knob.default, int):
        return trial.suggest_int(knob.name, int(low), int(high))
    return trial.suggest_float(knob.name, low, high, log=knob.log)
