"""The Explore page: one picture, one network, three sliders, and the handful of pixels that change its mind."""

import streamlit as st

from explorer.attacks import SparseAttack
from explorer.classifiers import CLASSIFIERS, DEFAULT, Classifier
from explorer.evidence import METHODS
from explorer.figures import attack_trace
from explorer.pipeline import Exploration, picture_sha256
from explorer.ui import words
from explorer.ui.caches import Question, classifier
from explorer.ui.controls import configure
from explorer.ui.downloads import offer_downloads
from explorer.ui.evidence import QUIET, show_evidence
from explorer.ui.guide import guide
from explorer.ui.link import link, linked
from explorer.ui.pictures import pictures
from explorer.ui.runs import StatusLine, ask
from explorer.ui.session import session
from explorer.ui.source import choose_picture

PRESETS = {"Defaults": SparseAttack(), "As in the paper": SparseAttack.paper()}
MAIN_KNOBS = ("a", "lam", "tau")


def page() -> None:
    source = st.container(key="source-row")
    with st.container(key="bench"):
        hero, panel, details = (st.container(key=key) for key in ("hero", "panel", "details"))
    with panel:
        clf = choose_network()
        if clf is None:
            return
        attack = choose_attack()
        target = choose_target(clf)
        method = st.selectbox("Pixels labelled by", list(METHODS), key="method", bind="query-params")
    with source:
        sample = choose_picture(clf.input_size)
    with hero:
        story, status = st.container(), StatusLine()
        with st.container(key="stages", horizontal=True, vertical_alignment="center"):
            counts = st.empty()
            only_optimised = st.toggle("Without pruning and polishing", key="optimised", bind="query-params")
    if attack is None:
        return
    question = Question(
        picture=picture_sha256(sample.image),
        network=clf.name,
        attack=attack,
        target=target,
        method=method,
        stage="optimised" if only_optimised else None,
        label=sample.label if clf.dataset == "signs" else None,
        image=sample.image,
    )
    with hero:
        exploration = ask(question, clf, status)
        if exploration is None:
            return
        with story:
            tell(exploration)
        counts.markdown(words.stage_counts(exploration))
        pictures(exploration, session().selected, key="pictures", on_pick=session().select)
    with details:
        show_evidence(exploration)
        explain_failure(exploration)
        with st.expander("How the attack went, step by step"):
            st.plotly_chart(
                attack_trace(exploration.result.trace), key="trace", config=QUIET, alt=words.trace(exploration)
            )
        guide()
        offer_downloads(exploration)


def choose_network() -> Classifier | None:
    """The network to attack; its name is in the link. None, and a sentence, where its weights cannot be read."""
    names = list(CLASSIFIERS)
    st.session_state.network_choice = linked("network", names, DEFAULT)
    name = st.selectbox(
        "Network",
        names,
        format_func=lambda name: CLASSIFIERS[name].title,
        key="network_choice",
        on_change=lambda: link("network", st.session_state.network_choice, DEFAULT),
    )
    st.caption(CLASSIFIERS[name].summary)
    try:
        return classifier(name)
    except RuntimeError as error:
        st.error(str(error))
        return None


def choose_attack() -> SparseAttack | None:
    """The attack with its settings; None, and a sentence, where they do not go together."""
    try:
        return configure(PRESETS, MAIN_KNOBS)
    except ValueError as error:
        st.error(str(error))
        return None


def choose_target(clf: Classifier) -> int | None:
    """The class that the network shall see; None for any wrong one."""
    name = st.selectbox(
        "Target class",
        [None, *clf.class_names],
        format_func=lambda name: name or "any wrong class",
        key="target",
        bind="query-params",
    )
    return None if name is None else clf.class_names.index(name)


def tell(exploration: Exploration) -> None:
    """What happened, in one sentence, and whether the network saw the right class to begin with."""
    st.header(exploration.story.replace(" %", "\u00a0%"), anchor=False)
    if exploration.already_wrong:
        seen, true = (exploration.class_names[label] for label in (exploration.label, exploration.true_label))
        st.info(f"The network already gets this one wrong: it shows {true}. It was attacked from the predicted {seen}.")


def explain_failure(exploration: Exploration) -> None:
    """Each failure signature with its likely cause and its cure."""
    for finding in exploration.findings:
        st.warning(f"**{finding.seen}** Likely cause: {finding.cause}. Try {finding.cure}.")


page()
