"""Beat the attack: paint a few pixels by hand until the network errs. It answers at every stroke."""

from collections.abc import Collection

import streamlit as st

from explorer.classifiers import Classifier
from explorer.figures import answer_bars
from explorer.pipeline import Exploration, Outcome, Painting, hex_colour, look_at, percent
from explorer.samples import find_sample
from explorer.types import Sample
from explorer.ui.board import board
from explorer.ui.caches import classifier
from explorer.ui.evidence import QUIET
from explorer.ui.gallery import gallery
from explorer.ui.lesson.desk import ORDINARY, SIGNS, seen_in, title_of
from explorer.ui.lesson.explored import asked
from explorer.ui.lesson.plays.robust import NAMES
from explorer.ui.lesson.sitting import Sitting

BUDGETS = (5, 10, 20, 40, 80)
OWN = "another"
COLOURS = {
    "white": "#ffffff",
    "black": "#000000",
    "red": "#d00000",
    "yellow": "#ffe000",
    "green": "#00a050",
    "blue": "#0050d0",
}
HINT = "Click, or drag with mouse or finger. By keyboard: arrows move (Shift: five steps), Enter paints, + and - zoom."
LOOK = 1.5  # seconds between two looks at an attack that is still at work


def play_beat(me: Sitting) -> None:
    """Choose a sign and a network, then paint."""
    sign = me.signs.get(0, SIGNS[5])

    def pick(name: str) -> None:
        me.signs[0] = name

    gallery([find_sample(name) for name in SIGNS], sign, "beat-signs", pick)
    _paint(me, sign)


def choose_colour() -> str:
    """A colour as #rrggbb."""
    name = st.segmented_control("Colour", [*COLOURS, OWN], default="white", required=True, key="beat-colour", wrap=True)
    if name != OWN:
        return COLOURS[name]
    return st.color_picker("Your colour", "#ff00ff", key="beat-own-colour")


@st.fragment
def _paint(me: Sitting, sign: str) -> None:
    left, right = st.columns([6, 6], gap="large")
    with right:
        colour = choose_colour()
        with st.container(horizontal=True, vertical_alignment="top"):
            most = st.select_slider("Pixels that you may change", BUDGETS, value=40, key="beat-budget", width=220)
            network = st.segmented_control(
                "Network", list(NAMES), default=ORDINARY, required=True, format_func=NAMES.get, key="beat-network"
            )
    clf, sample, of = classifier(network), find_sample(sign), f"{network} {sign}"
    painting = me.paintings.get(of) or Painting(sample.image)
    n = len(painting.changed)

    def stroke(places: Collection[tuple[int, int]]) -> None:
        me.paintings[of] = (me.paintings.get(of) or Painting(sample.image)).painted(places, hex_colour(colour), most)

    outcome = look_at(clf, painting.picture, sample.label)
    fooled = outcome.label != sample.label
    if fooled and n:
        me.best[of] = min(n, me.best.get(of, n))
    with left, st.container(width=500):
        seen = seen_in(outcome, clf.class_names)
        board(
            painting.picture,
            "beat-board",
            stroke,
            name=of,
            title=f"{n} of {most} pixels.",
            text=f"The network sees: {seen}",
            alt=f"{title_of(sign)} to paint on. The network sees {seen}. Arrow keys move, Enter paints, + and - zoom.",
            hint=HINT,
            colour=colour,
            left=max(1, most - n),
            drags=True,
        )
        with st.container(horizontal=True):
            st.button("Undo", key="beat-undo", on_click=_undo, args=[me, of], disabled=not painting.strokes)
            st.button("Clear", key="beat-clear", on_click=_clear, args=[me, of], disabled=not painting.strokes)
    with right:
        tell(me, of, n, most, fooled)
        bars(clf, outcome, sample)
        attack_s_own(clf, sign, me.best.get(of))


def tell(me: Sitting, of: str, n: int, most: int, fooled: bool) -> None:
    """How it stands."""
    if fooled and n:
        st.success(f"**Fooled, with {n} {'pixel' if n == 1 else 'pixels'}.** Fewer? Undo, or paint one over.")
    elif n >= most:
        st.info(f"**Not fooled, and all {most} pixels are used.** Undo some, or try another place or colour.")
    else:
        st.info(f"**Not fooled yet.** {most - n} of {most} pixels are left.")
    if of in me.best:
        st.caption(f"Your best on this sign: {me.best[of]} pixels.")


def bars(clf: Classifier, outcome: Outcome, sample: Sample) -> None:
    """What the network says now, the true class first."""
    others = [each for each in outcome.probabilities.topk(5).indices.tolist() if each != sample.label][:4]
    labels = [sample.label, *others]
    names, shares = [clf.class_names[each] for each in labels], outcome.probabilities[labels].tolist()
    listed = ", ".join(f"{name} {percent(share)}" for name, share in zip(names, shares, strict=True))
    st.plotly_chart(answer_bars(names, shares, None), key="beat-bars", config=QUIET, alt=f"The network says: {listed}.")


def attack_s_own(clf: Classifier, sign: str, best: int | None) -> None:
    """What the attack needs; painting does not wait for it."""
    found = asked(clf, sign)
    if not isinstance(found, Exploration):
        _still_at_work(clf, sign)
    elif found.succeeded:
        won = best is not None and best <= found.n_pixels
        beaten = " **You have beaten it, or are its equal!**" if won else ""
        st.markdown(f"The attack needs **{found.n_pixels} pixels**, and may take any colour for each.{beaten}")
    else:
        st.markdown("The attack does not fool the network here. If you do, you have beaten it.")


@st.fragment(run_every=LOOK)
def _still_at_work(clf: Classifier, sign: str) -> None:
    st.caption("The attack is still at work on this sign.")
    if isinstance(asked(clf, sign), Exploration):
        st.rerun()


def _undo(me: Sitting, of: str) -> None:
    me.paintings[of] = me.paintings[of].undone()


def _clear(me: Sitting, of: str) -> None:
    me.paintings[of] = me.paintings[of].cleared()
