"""The visit's runs, and two of them side by side: what differs in settings and in pixels."""

import base64
import html

import streamlit as st

from explorer.figures import marked
from explorer.images import to_png
from explorer.pipeline.differences import SharedPixels, differing_settings, shared_pixels
from explorer.ui.history import KEPT, History, Visited, history, reopen
from explorer.ui.markdown import plain

PINNED = "pinned"  # the control's key


def show_history(now: Visited) -> None:
    """The visit's runs: open one again, pin some, and see two of them side by side."""
    known = history()
    with st.expander("Runs of this visit: open one again, pin, compare", key="pins", on_change="rerun") as opened:
        if not opened.open:
            return
        _offer_runs(known, now)
        st.button(
            "Pin this result", on_click=known.pin, args=[now.number], disabled=now.number in known.pinned, key="pin"
        )
        st.session_state[PINNED] = known.pinned  # Streamlit forgets a control that is not drawn

        def choose() -> None:
            known.pinned = [*st.session_state[PINNED]]

        chosen = st.multiselect(
            "Pinned: two are shown side by side",
            [*reversed(known.runs)],
            format_func=lambda number: known.runs[number].title,
            max_selections=2,
            key=PINNED,
            on_change=choose,
            placeholder=f"None of this visit's {len(known.runs)} run{'s' * (len(known.runs) != 1)} is pinned",
            help=f"The last {KEPT} results that were shown in this visit, the newest first. Pinned ones stay.",
        )
        runs = [known.runs[number] for number in chosen]
        if not runs:
            return
        for column, run in zip(st.columns(2), runs, strict=False):
            with column:
                _show(run)
        if len(runs) == 2:
            _compare(*runs)


def _offer_runs(known: History, now: Visited) -> None:
    """One line for each run, the newest first; a click opens it."""
    with st.container(key="runs", gap="xsmall"):
        for run in reversed(known.runs.values()):
            here = run.number == now.number
            st.button(
                plain(run.title).replace(" %", "\u00a0%") + " **(shown)**" * here,
                on_click=reopen,
                args=[run],
                key=f"reopen-{run.number}",
                type="tertiary",
                disabled=here or run.lost,
                help="Its network was uploaded, and another one has taken its place." if run.lost else None,
            )


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
    told = f"**{shared.shared:,} changed pixels are in both**, {shared.only_first:,} only in {one}, "
    told += f"{shared.only_second:,} only in {two}."
    if shared.shared:
        told += f" Of those in both, {shared.same_colour:,} have the same new colour"
        told += f", and {shared.same_kind:,} of {shared.labelled:,} the same kind." if shared.labelled else "."
    return told


def _text(value: object) -> str:
    return "–" if value is None else str(value)
