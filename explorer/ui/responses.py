"""How the count answers to a, λ and τ around the current setting: as it came with the app, or measured on request."""

import dataclasses
import threading
from collections import OrderedDict

import streamlit as st

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.figures import answer
from explorer.jobs import Job
from explorer.knobs import knobs
from explorer.pipeline import Exploration, Point, along, answering, bare, percent, respond, shipped, stops
from explorer.pipeline.cures import symbol
from explorer.types import Step
from explorer.ui.advice import put
from explorer.ui.caches import Question
from explorer.ui.evidence import QUIET
from explorer.ui.runs import expected_seconds
from explorer.ui.stores import server_wide
from explorer.ui.words import duration
from explorer.ui.work import result_of

KEPT = 512  # curves in memory
ALWAYS = "curves_always"  # the switch that measures without a click
NOW = "curves_now"  # the setting around which somebody has asked to measure
Points = tuple[Point, ...]


class Curves:
    """The newest curves, by what decides them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, Points] = OrderedDict()
        self._guard = threading.Lock()

    def find(self, key: tuple) -> Points | None:
        with self._guard:
            return self._kept.get(key)

    def keep(self, key: tuple, points: Points) -> None:
        with self._guard:
            self._kept[key] = points
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


@server_wide
def curves() -> Curves:
    """The one store of this server."""
    return Curves()


def show_responses(question: Question, clf: Classifier, exploration: Exploration) -> None:
    """One curve for each knob that answers; where some are missing, a button that measures them in one batch."""
    attack = exploration.attack
    names = answering(attack)
    if not names:
        return
    st.markdown("##### What would another setting do?")
    known = {name: _known(question, clf, attack, name) for name in names}
    if missing := [name for name in names if known[name] is None]:
        known |= _measured(question, clf, attack, missing)
    measured = [name for name in names if known[name] is not None]
    if not measured:
        st.caption("How many pixels would change if one of these were turned has not been measured around here yet.")
        return
    for column, name in zip(st.columns(len(names), gap="medium"), measured, strict=False):
        with column:
            _curve(name, known[name], attack, exploration)
    st.caption(
        "Changed pixels of the **optimised** stage, where these settings act, each turned alone; a hollow mark did not "
        "fool the network. Below, how sure the network is of what it then sees. Click a mark to go there."
    )


def _known(question: Question, clf: Classifier, attack: Attack, name: str) -> Points | None:
    found = curves().find(_key(question, attack, name))
    if found is None and question.target is None and question.region is None:
        found = shipped.find_response(clf, question.image, attack, name)
    return found


def _key(question: Question, attack: Attack, name: str) -> tuple:
    same = question.picture, question.network, question.device, question.owner, question.target, question.region
    return (*same, name, repr(along(attack, name)))


def _measured(question: Question, clf: Classifier, attack: Attack, missing: list[str]) -> dict[str, Points | None]:
    n_runs = sum(len(stops(attack, name)) - 1 for name in missing) + 1
    seconds = n_runs * expected_seconds(bare(attack), clf)
    named = " and ".join(", ".join(symbol(attack, name) for name in missing).rsplit(", ", 1))
    with st.container(key="measure", horizontal=True, vertical_alignment="center"):
        always = st.toggle("Measure as I turn", key=ALWAYS)
        if not always and st.session_state.get(NOW) != bare(attack):
            st.button(
                f"Measure {named} around here: {n_runs} runs, {duration(seconds)}",
                on_click=lambda: st.session_state.update({NOW: bare(attack)}),
            )
            return {}

    def work(job: Job, twin: Classifier) -> bool | None:
        def on_step(step: Step) -> bool:
            job.report(step.done, step.total, f"{n_runs} settings at once: step {step.done:,} of {step.total:,}")
            return job.should_stop

        about = {"target": question.target, "region": question.region}
        found = respond(twin, question.image, attack, tuple(missing), **about, on_step=on_step)
        for name, points in (found or {}).items():
            curves().keep(_key(question, attack, name), points)
        return None if found is None else True

    result_of(f"curves-{named}", clf, work)
    return {name: _known(question, clf, attack, name) for name in missing}


def _curve(name: str, points: Points, attack: Attack, exploration: Exploration) -> None:
    label = knobs(attack)[name].label
    st.markdown(f"###### {label}")
    here = _here(name, points, attack, exploration)
    fooling = [point for point in points if point.fooled]
    best = min(fooling, key=lambda point: point.n_pixels, default=None)
    told = "None of them fools the network."
    if best is not None:
        told = f"The fewest, {best.n_pixels:,}, at {best.value:g} ({percent(best.confidence)} sure)."
    if not all(point.fooled for point in points):
        told += f" {len(points) - len(fooling)} of {len(points)} values do not fool it."
    key = f"answer-{name}"

    def go() -> None:
        places = [point["customdata"][0] for point in st.session_state[key].selection.points if point.get("customdata")]
        if places:
            put(attack, {name: points[int(places[0])].value})

    st.plotly_chart(
        answer(points, here, symbol(attack, name)),
        key=key,
        on_select=go,
        selection_mode="points",
        config=QUIET,
        alt=f"Pixels and confidence against {label}. You are at {here.value:g}, {here.n_pixels:,} pixels. {told}",
    )
    st.caption(told)


def _here(name: str, points: Points, attack: Attack, exploration: Exploration) -> Point:
    """Where the shown run lies: its own count."""
    value = float(getattr(attack, name))
    n_pixels = int(exploration.result.stage_pixels()["optimised"])
    same = next((point for point in points if point.value == value), None)
    if same is not None:
        return dataclasses.replace(same, n_pixels=n_pixels)
    confidence = float(exploration.after.max()) if exploration.stage == "optimised" else float("nan")
    return Point(value, n_pixels, exploration.succeeded, confidence)
