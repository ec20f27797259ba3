"""What one visitor has done in the lesson and the games, and which room they are in: for as long as the visit lasts."""

import secrets
from dataclasses import dataclass, field

import streamlit as st

from explorer.pipeline import Painting
from explorer.rooms import Lock

Place = tuple[int, int]


@dataclass
class Quiz:
    """One game of *Obscuring or leading?*: in which order signs come, and how the rounds went."""

    seed: int = field(default_factory=lambda: secrets.randbelow(10_000))
    rights: list[bool] = field(default_factory=list)  # of the rounds that were answered
    guess: str = ""  # in the round that is shown; "": not answered yet

    @property
    def streak(self) -> int:
        """Right answers in a row, up to now."""
        return next((n for n, right in enumerate(reversed(self.rights)) if not right), len(self.rights))


@dataclass
class Sitting:
    """The state of one browser tab that no widget holds."""

    solved: set[int] = field(default_factory=set)  # steps, from 1
    signs: dict[int, str] = field(default_factory=dict)  # the sign that was chosen, by step
    attacked: set[str] = field(default_factory=set)  # signs that the button was pressed for
    fooled: dict[str, int] = field(default_factory=dict)  # and the pixels that it took
    clicks: dict[str, tuple[Place, ...]] = field(default_factory=dict)  # in the search for changed pixels, by sign
    back: dict[str, frozenset[int]] = field(default_factory=dict)  # changed pixels that were put back, by sign
    predictions: dict[str, str] = field(default_factory=dict)  # by question
    rounds: dict[str, int] = field(default_factory=dict)  # which question of a kind it is
    judged: dict[str, int] = field(default_factory=dict)  # the mark that was chosen, by sign
    code: str = ""  # of the room
    token: str = ""  # of this member
    lock: Lock = field(default_factory=Lock)  # of the room
    told: str = ""  # what is to be said once
    taught: tuple[str, str] = ("", "")  # code and key of the room that this visitor teaches
    paintings: dict[str, Painting] = field(default_factory=dict)  # by sign
    best: dict[str, int] = field(default_factory=dict)  # fewest pixels by hand that fooled, by sign
    quiz: Quiz = field(default_factory=Quiz)

    @property
    def joined(self) -> bool:
        return bool(self.token)

    def leave(self, told: str = "") -> None:
        """Out of the room: the lesson goes on without it."""
        self.code, self.token, self.lock, self.told = "", "", Lock(), told


def sitting() -> Sitting:
    """The sitting of the tab that is asking."""
    return st.session_state.setdefault("sitting", Sitting())
