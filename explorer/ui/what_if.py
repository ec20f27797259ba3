"""What if: take pixels back, weaken or strengthen the change, move a pixel; everything follows at once."""

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.classifiers import Classifier
from explorer.evidence import SmallestSet
from explorer.figures import top_classes
from explorer.jobs import Job
from explorer.palette import LOOKS
from explorer.pipeline import Exploration, Outcome, WhatIf, at_the_end, percent, smallest, try_out
from explorer.types import Image
from explorer.ui.evidence import QUIET
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.session import session
from explorer.ui.work import advance, result_of

HINT = "Click a mark to take its change back, click again to bring it on; drag around several."
SETS = {"fooling": "Smallest set that still fools", "repair": "Smallest repair"}
MOVES = {"←": (0, -1), "↑": (-1, 0), "↓": (1, 0), "→": (0, 1)}


def what_if(exploration: Exploration, clf: Classifier) -> None:
    """The bench, in an expander of its own."""
    with st.expander("What if … take pixels back, weaken them, move them", key="what-if", on_change="rerun") as bench:
        if bench.open and exploration.evidence is None:
            st.caption(exploration.unlabelled)
        elif bench.open:
            _bench(exploration, clf)


@st.fragment
def _bench(exploration: Exploration, clf: Classifier) -> None:
    me = session()
    left, right = st.columns([5, 6], gap="large")
    with right:
        _groups(exploration, clf)
        st.session_state.setdefault("strength", 100)  # not as the slider's default: Undo all sets it as well
        strength = st.slider("Strength of all changes", 0, 150, step=5, format="%d %%", key="strength")
        if strength > 100:
            at_end, changed = at_the_end(exploration)
            st.caption(f"{at_end:,} of {changed:,} changed values are at 0 or 255 already and cannot go further.")
        _move(exploration)
    state = WhatIf(me.what_if.back, strength / 100, me.what_if.moves)
    outcome = try_out(clf, exploration, state)
    with left:
        seen = f"{exploration.class_names[outcome.label]}, {percent(outcome.probabilities[outcome.label])}"
        st.markdown(f"##### {plain(seen)}".replace(" %", "\u00a0%"))
        st.markdown(_verdict(exploration, outcome))
        selected = [i for i in me.selected if i < len(exploration.evidence.pixels)]
        changes_picture(exploration, state, outcome.picture, seen, "what-if-picture", me.toggle, selected)
    with right:
        labels = exploration.top()
        series = (each[labels].tolist() for each in (exploration.before, exploration.after, outcome.probabilities))
        st.plotly_chart(
            top_classes([exploration.class_names[label] for label in labels], *series),
            key="what-if-bars",
            config=QUIET,
            alt=f"Probabilities before the attack, after it, and now. Now the network sees {seen}.",
        )


def _groups(exploration: Exploration, clf: Classifier) -> None:
    me, pixels = session(), exploration.evidence.pixels
    groups = {f"All {kind} {look.sign}": _of_kind(exploration, kind) for kind, look in LOOKS.items()}
    groups = {**groups, "All": frozenset(range(len(pixels)))}
    st.caption("Take back, or bring on again:")
    with st.container(horizontal=True, key="what-if-groups"):
        st.button("The selected", on_click=me.toggle, args=[me.selected], disabled=not me.selected)
        for title, members in groups.items():
            st.button(title, on_click=me.toggle_all, args=[members], disabled=not members)
        st.button("Undo all", on_click=me.undo_all)
    with st.container(horizontal=True, key="what-if-sets"):
        for name, title in SETS.items():
            st.button(title, on_click=me.seek, args=[name])
    if me.sought:
        _smallest(exploration, clf)
    if me.told:
        st.info(me.told)


def _of_kind(exploration: Exploration, kind: str) -> frozenset[int]:
    return frozenset(index for index, pixel in enumerate(exploration.evidence.pixels) if pixel.kind == kind)


def _smallest(exploration: Exploration, clf: Classifier) -> None:
    """Find the set that is sought, and put back what it says."""
    me, name = session(), session().sought
    repair = name == "repair"

    def work(job: Job, twin: Classifier) -> tuple[SmallestSet | None]:
        def on_pictures(n: int) -> None:
            advance(job, 0, 0, f"Trying groups of pixels: {n:,} so far")

        return (smallest(twin, exploration, repair, on_pictures),)

    answer: tuple[SmallestSet | None] | None = result_of(name, clf, work)
    if answer is None:
        return
    me.sought, (found,) = "", answer
    if found is None:
        me.told = f"The picture does not fool, so {'there is nothing to repair' if repair else 'no part of it does'}."
        return
    everything = frozenset(range(len(exploration.evidence.pixels)))
    me.what_if = WhatIf(frozenset(found.pixels) if repair else everything - frozenset(found.pixels))
    st.session_state.strength = 100
    how = "the smallest there is: every smaller group was tried" if found.exact else "found greedily, so fewer may do"
    count = f"{len(found.pixels)} of {len(everything)} pixels"
    me.told = f"Putting back {count} repairs it; {how}." if repair else f"{count} fool by themselves; {how}."
    if any(job.superseded for job in me.jobs.values()):  # the search took the place of other work on the page
        st.rerun()


def _move(exploration: Exploration) -> None:
    me, pixels = session(), exploration.evidence.pixels
    with st.container(horizontal=True, vertical_alignment="bottom", key="what-if-move"):
        chosen = st.selectbox(
            "Move a pixel",
            range(len(pixels)),
            index=me.selected[0] if me.selected and me.selected[0] < len(pixels) else 0,
            format_func=lambda i: f"{LOOKS[pixels[i].kind].sign} row {pixels[i].row}, column {pixels[i].col}",
            key=f"move-{exploration.n_pixels}-{me.selected}",
            width=230,
        )
        with st.container(horizontal=True, width="content"):  # on a narrow screen the arrows stay together
            for sign, (down, right) in MOVES.items():
                st.button(
                    sign, on_click=me.move, args=[chosen, down, right], key=f"move-{sign}", help="One pixel further"
                )
        if chosen in me.what_if.moves:
            row, col = me.what_if.places(exploration)[chosen]
            st.caption(f"now at row {row}, column {col}")


def _verdict(exploration: Exploration, outcome: Outcome) -> str:
    targeted, margin = exploration.target is not None, outcome.margin
    name = plain(exploration.class_names[exploration.target if targeted else exploration.label])
    if margin < 0:
        return f":violet-badge[still fooled] {name} is {-margin:.2f} logits {'ahead' if targeted else 'behind'}."
    lead = f"{name} is {margin:.2f} logits {'behind' if targeted else 'ahead'}."
    if targeted and outcome.label != exploration.label:
        return f":orange-badge[target missed] {lead}"
    return f":green-badge[repaired] {lead}" if exploration.succeeded else f":gray-badge[not fooled] {lead}"


def changes_picture(
    exploration: Exploration,
    state: WhatIf,
    picture: Image,
    seen: str,
    key: str,
    on_toggle: Callable[[tuple[int, ...]], object],
    selected: Sequence[int] = (),
) -> None:
    """The picture as it is now, with a mark on each changed pixel: `on_toggle` gets the indices of those that are to be
    put back, or changed again.
    """
    places = state.places(exploration)
    pixels = [pixel.at(row, col) for pixel, (row, col) in zip(exploration.evidence.pixels, places, strict=True)]
    pane = {
        "title": "Now",
        "text": f"{len(pixels) - len(state.back):,} of {len(pixels):,} changes",
        "shows": "now",
        "marked": True,
        "alt": f"The picture with {len(pixels) - len(state.back)} of the changes. The network sees: {seen}.",
    }
    canvas(
        {"before": exploration.image, "now": picture},
        [pane],
        pixels,
        selected,
        state.back,
        HINT,
        key,
        lambda picked, _add, _lasso: on_toggle(picked),
        exploration.evidence.unit,
        toggles=True,
        region=exploration.region,
    )
