"""What a step is played on: the network, the sign, and what is held in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.classifiers import CLASSIFIERS, DEFAULT, Classifier
from explorer.figures import answer_bars
from explorer.pipeline import Exploration, Outcome, percent
from explorer.rooms import Lock
from explorer.samples import RoadSigns, find_sample
from explorer.ui.caches import classifier
from explorer.ui.evidence import QUIET
from explorer.ui.gallery import gallery
from explorer.ui.lesson.sitting import Sitting

ORDINARY, ROBUST = DEFAULT, "signs-robust"
NETWORKS = tuple(
    name for name, card in CLASSIFIERS.items() if card.dataset == RoadSigns.name and card.source == "bundled"
)
SIGNS = (
    "stop-1",
    "stop-4",
    "yield-3",
    "no-entry-3",
    "priority-road-1",
    "speed-limit-50-2",
    "speed-limit-80-1",
    "turn-left-1",
    "roundabout-1",
    "keep-right-1",
    "pedestrians-1",
    "straight-on-2",
)


@dataclass(frozen=True)
class Desk:
    """Where one student sits, at one step."""

    step: int  # from 1
    sitting: Sitting
    lock: Lock

    def sees(self, control: str) -> bool:
        """Whether a control is not hidden by the lock."""
        return control not in self.lock.hidden

    @property
    def free(self) -> bool:
        """Whether the sign can be chosen."""
        return not self.lock.picture and self.sees("signs")

    @property
    def network(self) -> str:
        """Which network is attacked where nobody chooses one."""
        return self.lock.network or ORDINARY

    def classifier(self) -> Classifier:
        return classifier(self.network)

    def choose_sign(self, default: str = SIGNS[0]) -> str:
        """The sign of this step: the teacher's, or one of SIGNS, by its thumbnail."""
        if not self.free:
            return self.lock.picture or default
        chosen = self.sitting.signs.get(self.step, default)

        def pick(name: str) -> None:
            self.sitting.signs[self.step] = name

        gallery([find_sample(name) for name in SIGNS], chosen, f"signs-{self.step}", pick)
        return chosen


def title_of(sign: str) -> str:
    """What a bundled sign is called in a sentence: "Stop 1"."""
    name, _, number = sign.rpartition("-")
    return f"{name.replace('-', ' ').capitalize()} {number}"


def seen_in(outcome: Outcome, names: Sequence[str]) -> str:
    """What the network sees: "Stop, 99 %", with a space that does not break."""
    return f"{names[outcome.label]}, {percent(outcome.probabilities[outcome.label])}".replace(" %", "\u00a0%")


def live_bars(outcome: Outcome, exploration: Exploration, key: str, n: int = 5) -> None:
    """The likeliest classes of the picture as it is now, beside what they were in the clean one."""
    either = outcome.probabilities.maximum(exploration.before).topk(n).indices.tolist()
    names = [exploration.class_names[label] for label in either]
    now, before = (outcome.probabilities[either].tolist(), exploration.before[either].tolist())
    listed = ", ".join(f"{name} {percent(share)}" for name, share in zip(names, now, strict=True))
    st.plotly_chart(answer_bars(names, now, before), key=key, config=QUIET, alt=f"What the network sees now: {listed}.")


def choose(label: str, options: Sequence[str], key: str, told: Callable[[str], str] = str) -> str | None:
    """One of several answers, none to begin with."""
    return st.radio(label, options, index=None, format_func=told, key=key, horizontal=True)
