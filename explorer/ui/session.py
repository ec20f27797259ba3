"""What one visitor has asked, is waiting for, sees and has selected."""

import uuid
from dataclasses import dataclass, field

import streamlit as st

from explorer.jobs import Job
from explorer.pipeline import Exploration
from explorer.ui.caches import Question


@dataclass
class Session:
    """The state of one browser tab that no widget holds."""

    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    asked: Question | None = None  # what the job is about
    job: Job | None = None
    run_now: bool = False  # the Run button was pressed
    shown: Exploration | None = None
    seconds: dict[str, float] = field(default_factory=dict)  # that each network's last run took
    selected: int | None = None  # index of a changed pixel of `shown`

    def run(self) -> None:
        """Ask again, whatever came of it before."""
        self.asked, self.run_now = None, True

    def show(self, exploration: Exploration) -> None:
        """Look at another exploration; a selection belongs to the one it was made in."""
        if exploration is not self.shown:
            self.shown, self.selected = exploration, None
        took = exploration.attack_seconds + exploration.evidence_seconds
        self.seconds[exploration.network] = float("inf") if exploration.result.stopped else took

    def select(self, pixel: int | None) -> None:
        self.selected = pixel


def session() -> Session:
    """The session of the tab that is asking."""
    return st.session_state.setdefault("session", Session())
