"""The visit's runs, and two of them side by side: what differs in settings and in pixels."""

import base64
import html
from dataclasses import dataclass, field

import streamlit as st

from explorer.figures import marked
from explorer.images import to_png
from explorer.pipeline import Exploration
from explorer.pipeline.differences import SharedPixels, differing_settings, shared_pixels
from explorer.ui.markdown import plain

KEPT = 6  # runs of a visit: large pictures take 4 MB each
PINNED = "pinned"  # the control's key


@dataclass(frozen=True)
class Visited:
    """One result that was shown."""

    number: int  # in the visit, from 1
    picture: str
    exploration: Exploration

    @property
    def title(self) -> str:
        return f"{self.number}. {self.picture}: {self.exploration.story}"


@dataclass
class History:
    """The newest results of a visit, each once; pinned ones stay."""

    runs: dict[int, Visited] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)  # numbers of one or two of them
    count: int = 0

    def pin(self, number: int) -> None:
        """Pin a run; of two that are pinned already, the older one is let go."""
        self.pinned = [*self.pinned, number][-2:]

    def add(self, exploration: Exploration, picture: str) -> Visited:
        """The run of this exploration, added if it is new."""
        for run in self.runs.values():
            if run.exploration is exploration:
                return run
        self.count += 1
        new = self.runs[self.count] = Visited(self.count, picture, exploration)
        others = [number for number in self.runs if number not in (*self.pinned, new.number)]
        for number in others[: max(0, len(self.runs) - KEPT)]:
            del self.runs[number]
        return new


def show_pins(exploration: Exploration, picture: str) -> None:
    """Pin what is shown, choose among the visit's runs, and see two of them side by side."""
    history: History = st.session_state.setdefault("history", History())
    now = history.add(exploration, picture)
    with st.expander("Pin, and compare with another run of this visit", key="pins", on_change="rerun") as opened:
        if not opened.open:
            return
        here = now.number in history.pinned
        st.button("Pin this result", on_click=history.pin, args=[now.number], disabled=here, key="pin")
        st.session_state[PINNED] = history.pinned  # Streamlit forgets a control that is not drawn

        def choose() -> None:
            history.pinned = [*st.session_state[PINNED]]

        chosen = st.multiselect(
            "Pinned: two are shown side by side",
            [*reversed(history.runs)],
            format_func=lambda number: history.runs[number].title,
            max_selections=2,
            key=PINNED,
            on_change=choose,
            placeholder=f"None of this visit's {len(history.runs)} run{'s' * (len(history.runs) != 1)} is pinned",
            help=f"The last {KEPT} results that were shown in this visit, the newest first. Pinned ones stay.",
        )
        runs = [history.runs[number] for number in chosen]
        if not runs:
            return
        for column, run in zip(st.columns(2), runs, strict=False):
            with column:
                _show(run)
        if len(runs) == 2:
            _compare(*runs)


def _show(run: Visited) -> None:
    each = run.exploration
    pixels = [(p.row, p.col, p.kind, p.weak) for p in each.evidence.pixels] if each.evidence else []
    url = "data:image/png;base64," + base64.b64encode(to_png(each.adversarial)).decode()
    svg = marked(url, tuple(each.image.shape[1:]), pixels, each.story)
    picture = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    st.html(f'<div class="pinned"><img alt="{html.escape(each.story)}" src="{picture}"></div>')
    st.markdown(f"**{run.number}.** {plain(run.picture)}: {plain(each.story)}")
    counts = [each.evidence.count(kind) for kind in ("obscuring", "leading")] if each.evidence else []
    told = f"{counts[0]} obscuring, {counts[1]} leading. " if counts else ""
    took = f"Attack {each.attack_seconds:.2f} s, labels {each.evidence_seconds:.2f} s."
    came = not each.attack_seconds and not each.evidence_seconds  # with the app: it was not made on this computer
    st.caption(f"{plain(each.network)}. {told}{'It came with the app.' if came else took}")


def _compare(first: Visited, second: Visited) -> None:
    shared = shared_pixels(first.exploration, second.exploration)
    st.markdown(_told(shared, first.number, second.number))
    rows = differing_settings(first.exploration, second.exploration)
    if not rows:
        st.caption("Picture and settings are the same.")
        return
    st.dataframe(
        [
            {"what differs": name, f"in {first.number}": _text(a), f"in {second.number}": _text(b)}
            for name, a, b in rows
        ],
        hide_index=True,
        height="content",
        alt="The settings that differ between the two runs.",
    )


def _told(shared: SharedPixels | None, one: int, two: int) -> str:
    """What the two changes have in common, in a sentence or two."""
    if shared is None:
        return "The two pictures differ in size, so their pixels cannot be compared."
    told = (
        f"**{shared.shared} changed pixels are in both**, {shared.only_first} only in {one}, {shared.only_second} only "
    )
    told += f"in {two}."
    if shared.shared:
        told += f" Of those in both, {shared.same_colour} have the same new colour"
        told += f", and {shared.same_kind} of {shared.labelled} the same kind." if shared.labelled else "."
    return told


def _text(value: object) -> str:
    return "–" if value is None else str(value)
