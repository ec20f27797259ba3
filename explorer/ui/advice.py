"""What went badly, and a button for the setting that does better: it was tried before it is offered."""

import dataclasses
from functools import partial

import streamlit as st

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.jobs import Job
from explorer.knobs import knobs
from explorer.pipeline import Advice, Exploration, Finding, advise, bare, trials
from explorer.pipeline.cures import symbol
from explorer.types import Step
from explorer.ui.attacks import name_of, prefix_of
from explorer.ui.controls import keep_stop
from explorer.ui.link import exactly
from explorer.ui.runs import expected_seconds
from explorer.ui.session import session
from explorer.ui.stages import turned
from explorer.ui.words import duration
from explorer.ui.work import result_of

UNASKED = 20.0  # seconds that trials may take without a click
WANTED = "advice_wanted"


def show_advice(exploration: Exploration, clf: Classifier) -> None:
    """Each failure signature with its likely cause; its cure as a button, once it has been tried."""
    findings = exploration.findings
    for finding in findings:
        if not finding.cures:
            st.warning(f"**{finding.seen}** Likely cause: {finding.cause}. Try {finding.cure}.")
    open_ones = [finding for finding in findings if finding.cures]
    if not open_ones:
        return
    n_runs = trials(open_ones)
    seconds = n_runs * expected_seconds(bare(exploration.attack), clf)
    if seconds > UNASKED and st.session_state.get(WANTED) != exploration.attack:
        for finding in open_ones:
            st.warning(f"**{finding.seen}** Likely cause: {finding.cause}.")
        st.button(
            f"Look for a setting that does better: {n_runs} runs, {duration(seconds)}",
            on_click=lambda: st.session_state.update({WANTED: exploration.attack}),
        )
        return
    given: list[Advice] | None = result_of("advice", clf, partial(_tried, exploration=exploration, findings=open_ones))
    if given is None:
        return
    for each in given:
        _offer(each, exploration.attack)
    cured = [each.finding for each in given]
    if not exploration.succeeded and open_ones[0] not in cured:
        missed = open_ones[0]
        st.warning(
            f"**{missed.seen}** Likely cause: {missed.cause}. None of {n_runs - 1} settings near these does better; "
            f"{missed.cure} may."
        )


def _tried(job: Job, clf: Classifier, exploration: Exploration, findings: list[Finding]) -> list[Advice] | None:
    def on_step(step: Step) -> bool:
        job.report(step.done, step.total, "Trying settings that may do better")
        return job.should_stop

    return advise(
        clf,
        exploration.image,
        exploration.attack,
        findings,
        target=exploration.target,
        region=exploration.region,
        on_step=on_step,
    )


def _offer(advice: Advice, attack: Attack) -> None:
    name, value = advice.cure.knob, advice.cure.value
    with st.container(key=f"advice-{name}", horizontal=True, vertical_alignment="center"):
        st.warning(f"**{advice.finding.seen}** {advice.told(attack)}")
        st.button(
            f"Try {symbol(attack, name)} = {value if isinstance(value, str | bool) else exactly(value)}",
            type="primary",
            key=f"try-{name}",
            on_click=put,
            args=[attack, {name: value}],
        )


def put(attack: Attack, values: dict[str, object]) -> None:
    """Before the page is drawn: put controls of this attack to these values, which may lie between their stops, and run
    the attack.
    """
    prefix = prefix_of(name_of(attack))
    for name, value in values.items():
        keep_stop(knobs(attack)[name], value, prefix)
        st.session_state[prefix + name] = value
    dataclasses.replace(attack, **values)  # raises where they cannot go together
    turned()
    session().run()
