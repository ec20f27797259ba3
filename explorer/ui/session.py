"""What one visitor has asked, is waiting for, sees and has selected."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from explorer.classifiers import Classifier
from explorer.jobs import Job
from explorer.pipeline import Exploration, WhatIf
from explorer.ui.caches import Question

PROOF = "proof"  # the name of the work that tries the labels


@dataclass
class Session:
    """The state of one browser tab that no widget holds."""

    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    asked: Question | None = None  # what the job is about
    job: Job | None = None
    run_now: bool = False  # the Run button was pressed
    shown: Exploration | None = None
    answered: Question | None = None  # what `shown` is the answer to
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)  # of each network's last run on each device
    selected: tuple[int, ...] = ()  # indices of changed pixels of `shown`
    what_if: WhatIf = field(default_factory=WhatIf)  # what was changed about `shown`
    jobs: dict[str, Job] = field(default_factory=dict)  # longer work on `shown` that is under way, by its name
    results: dict[str, Any] = field(default_factory=dict)  # of such work: None where it was stopped
    sought: str = ""  # the smallest set that is to be found: a key of ui.what_if.SETS
    reopened: tuple[Question, Exploration] | None = None  # an earlier run of the visit, which is to be shown again
    own: Classifier | None = None  # from weights that this visitor uploaded: nobody else's
    own_file: str = ""  # the name of their file
    told: str = ""  # what the last search for a smallest set found

    def run(self) -> None:
        """Ask again, whatever came of it before."""
        self.asked, self.run_now, self.reopened = None, True, None

    def kept(self, question: Question) -> Exploration | None:
        """The earlier run of the visit that is to be shown again, if this is its question."""
        return self.reopened[1] if self.reopened is not None and self.reopened[0] == question else None

    def show(self, exploration: Exploration, question: Question) -> None:
        """Look at another exploration, the answer to `question`. What was selected, changed and found belongs to the
        attack that it was made with; if only its pixels are labelled in another way, all stays but the proof of the
        labels.
        """
        if exploration is not self.shown:
            same_network = self.answered is not None and self.answered.network == question.network
            if same_network and exploration.same_attack(self.shown):
                self.jobs, self.results = (
                    {name: each for name, each in kept.items() if name != PROOF} for kept in (self.jobs, self.results)
                )
            else:
                self.selected, self.sought, self.jobs, self.results = (), "", {}, {}
                self.undo_all()
        self.shown, self.answered = exploration, question
        took = exploration.attack_seconds + exploration.evidence_seconds
        self.seconds[question.network, question.device] = float("inf") if exploration.result.stopped else took

    def select(self, pixels: Iterable[int]) -> None:
        """Select exactly these pixels."""
        self.selected = tuple(sorted(set(pixels)))

    def pick(self, pixels: Iterable[int], add: bool = False, enclosed: bool = False) -> None:
        """Pixels were clicked or enclosed: select them. `add` keeps the others; a click then lets go of a pixel that is
        selected already. Without it, a click on the only selected pixel lets go of it.
        """
        picked, selected = set(pixels), set(self.selected)
        if add:
            picked = selected | picked if enclosed else selected ^ picked
        elif picked == selected and not enclosed:
            picked = set()
        self.select(picked)

    def toggle(self, pixels: Iterable[int]) -> None:
        """Put these pixels back, or change them again."""
        self.what_if, self.told = self.what_if.toggled(pixels), ""

    def toggle_all(self, pixels: frozenset[int]) -> None:
        """Put all of these back; where all of them are, change all of them again."""
        back = self.what_if.back
        self.what_if, self.told = self.what_if.with_back(back - pixels if pixels <= back else back | pixels), ""

    def move(self, pixel: int, down: int, right: int) -> None:
        """Move one pixel by so many rows and columns."""
        self.what_if, self.told = self.what_if.moved(self.shown, pixel, down, right), ""

    def seek(self, name: str) -> None:
        """Find this smallest set."""
        self.sought = name

    def undo_all(self) -> None:
        """Undo all that was changed about the exploration."""
        self.what_if, self.told = WhatIf(), ""
        st.session_state.strength = 100


def session() -> Session:
    """The session of the tab that is asking."""
    return st.session_state.setdefault("session", Session())
