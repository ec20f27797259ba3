"""The runs of a visit: the newest are kept, and any of them can be shown again as it was."""

import dataclasses
from dataclasses import dataclass, field

import streamlit as st

from explorer.images import to_png
from explorer.pipeline import Exploration
from explorer.pipeline.restoring import remembered
from explorer.ui import devices, restore, stages
from explorer.ui.caches import Question, content_of
from explorer.ui.link import link, said
from explorer.ui.networks import UPLOADED
from explorer.ui.own_pictures import CarriedFile, OwnPicture, carry, keep_beside
from explorer.ui.session import session
from explorer.ui.source import OWN, PARAMETER, UPLOAD, source_of

KEPT = 6  # runs of a visit: large pictures take 4 MB each
RESIZE = "resize"


@dataclass(frozen=True)
class Visited:
    """One result that was shown."""

    number: int  # in the visit, from 1
    picture: str  # what it shows
    exploration: Exploration
    question: Question
    network: str  # its name on the page
    link: str = ""  # the picture's name in a link; "": no link can hold it
    resize: str = ""  # how it was resized, where a person has chosen that

    @property
    def title(self) -> str:
        return f"{self.number}. {self.picture}: {self.exploration.story}"

    @property
    def lost(self) -> bool:
        """Whether it cannot be made again: its network was a visitor's, who has brought another one since."""
        own = session().own
        return self.network == UPLOADED and (own is None or content_of(own) != self.question.network)


@dataclass
class History:
    """The newest results of a visit, each once; pinned ones stay."""

    runs: dict[int, Visited] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)  # numbers of one or two of them
    count: int = 0

    def pin(self, number: int) -> None:
        """Pin a run; of two that are pinned already, the older one is let go."""
        self.pinned = [*self.pinned, number][-2:]

    def add(self, exploration: Exploration, picture: str, question: Question, network: str, link: str = "") -> Visited:
        """The run of this exploration, added if it is new."""
        for run in self.runs.values():
            if run.exploration is exploration:
                return run
        self.count += 1
        new = Visited(self.count, picture, exploration, question, network, link, said(RESIZE))
        self.runs[new.number] = new
        others = [number for number in self.runs if number not in (*self.pinned, new.number)]
        for number in others[: max(0, len(self.runs) - KEPT)]:
            del self.runs[number]
        return new


def history() -> History:
    """That of this visit."""
    return st.session_state.setdefault("history", History())


def reopen(run: Visited) -> None:
    """Before the page is drawn again: put its picture, network and settings, and have what came of it."""
    question, me = run.question, session()
    restore.put(dataclasses.replace(remembered(run.exploration), network=run.network, method=question.method))
    st.session_state.true_class_of = question.picture, run.exploration.network
    link(stages.PARAMETER, question.stage or "", "")
    link(devices.PARAMETER, question.device, devices.fastest_device())
    if run.link:
        st.session_state.source = source_of(run.link)
        link(PARAMETER, run.link, "")
        link(RESIZE, run.resize, "")
    elif me.answered is None or me.answered.picture != question.picture or st.session_state.source not in OWN:
        _bring(run)
    else:
        link(RESIZE, run.resize, "")
    st.session_state.source_for = run.exploration.dataset
    me.reopened = question, run.exploration


def _bring(run: Visited) -> None:
    """The picture as the network saw it, as if it had been uploaded."""
    name = f"run {run.number}.png"
    carry(name, to_png(run.exploration.image))
    keep_beside(True)
    file: CarriedFile = st.session_state.carried
    st.session_state.own_chosen = OwnPicture(file).name
    st.session_state.source = UPLOAD
    link(PARAMETER, OWN[UPLOAD], "")
