"""The Explore page: one picture, one network, three sliders, and the handful of pixels that change its mind."""

import streamlit as st

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.figures import attack_trace
from explorer.pipeline import Exploration, picture_sha256
from explorer.ui import words
from explorer.ui.advice import show_advice
from explorer.ui.attacks import DEFAULTS, about, choose_attack, prefix_of, presets_of
from explorer.ui.caches import Question, content_of, valid_methods
from explorer.ui.classes import ANY_CLASS, choose_label, choose_target
from explorer.ui.controls import configure
from explorer.ui.devices import choose_device
from explorer.ui.downloads import offer_downloads
from explorer.ui.evidence import QUIET, show_evidence
from explorer.ui.ghosts import ghost_of
from explorer.ui.guide import guide
from explorer.ui.history import history
from explorer.ui.known import bring_shipped, first_film
from explorer.ui.link import bound, restore, tell_unmet
from explorer.ui.many import attack_all
from explorer.ui.markdown import plain
from explorer.ui.mechanics import drawable, show_mechanics
from explorer.ui.networks import card_of, choose_network, dataset_of, load_network
from explorer.ui.pictures import pictures
from explorer.ui.pins import show_history
from explorer.ui.playback import playback
from explorer.ui.proof import show_proof
from explorer.ui.regions import allow_everywhere, choose_region
from explorer.ui.responses import show_responses
from explorer.ui.runs import StatusLine, ask
from explorer.ui.session import session
from explorer.ui.source import OWN, UPLOAD, choose_picture, choose_source, comes_with_the_app
from explorer.ui.stages import asked_stage, choose_stage, show_last, turned
from explorer.ui.turns import turns
from explorer.ui.what_if import what_if


def page() -> None:
    if "world" not in st.session_state:  # nothing of this page is there: the visitor comes, or comes back
        restore()
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        st.title("Which pixels change its mind?", anchor=False, width="content")
        with st.container(key="choices", horizontal=True, width="content"):
            network, device = choose_network(), choose_device()
            source = choose_source(dataset_of(network))
    notes = st.container(key="notes")
    clf = load_network(network, device)
    sample = choose_picture(source, clf.dataset, clf.input_size) if clf is not None else None
    if sample is None:
        with notes:
            tell_unmet()
        return
    together = st.container()
    bench = st.container(key="bench")  # a grid, on a small screen one column: see style.css
    lab = bench.container(key="lab")
    hero, panel, details = lab.container(key="hero"), lab.container(key="panel"), bench.container(key="details")
    with panel:
        attack = set_up(choose_attack())
        region, on_draw = choose_region(sample, clf)
        target = choose_target(clf)
        label = choose_label(sample, clf)
        method = choose_method(clf)
    with hero:
        story = st.container(key="story")
        with st.container(key="line", horizontal=True, vertical_alignment="center"):
            stages, status = st.container(key="stages", width="content"), StatusLine()
    stage = None if attack is None else asked_stage(attack)
    with notes:
        tell_unmet()
    if attack is None:
        return
    uploaded = clf is session().own
    question = Question(
        picture=picture_sha256(sample.image),
        network=content_of(clf),
        attack=attack,
        target=target,
        method=method,
        stage=stage,
        label=label,
        device=device,
        owner=session().owner if uploaded else "",
        image=sample.image,
        region=region,
    )
    if source == UPLOAD:
        with together:
            attack_all(question, clf)
    with hero:
        known = bring_shipped(question, clf)
        exploration = ask(question, clf, status)
        if exploration is None:
            return
        if known is not None and exploration.result is known.result:
            status.rest("This result came with the app: turn a slider, and the network is attacked here.")
        with story:
            if source in OWN and comes_with_the_app(sample):
                st.markdown(
                    ":orange-badge[not your picture yet] Below is one that comes with the app, until yours is there."
                )
            tell(exploration)
        with stages:
            choose_stage(exploration)
        ghost = ghost_of(exploration)
        film = first_film(question, clf)
        pictures(exploration, session().selected, "pictures", session().pick, region, on_draw, ghost, film)
    turns.give_way(pause="charted" not in st.session_state)
    st.session_state.charted = True  # the browser has what it needs for charts, or loads it
    with details:
        advice, responses = st.container(key="advice"), st.container(key="responses")
        show_evidence(exploration)
        what_if(exploration, clf)
        show_proof(exploration, clf)
        playback(exploration, clf)
        with st.expander("How the attack went: its curve", key="progress", on_change="rerun") as progress:
            if progress.open:
                st.plotly_chart(
                    attack_trace(exploration.result.trace), key="trace", config=QUIET, alt=words.trace(exploration)
                )
        if drawable(attack, exploration):
            with st.expander("What a, λ, τ and the box do to a weight", key="mechanics", on_change="rerun") as opened:
                if opened.open:
                    show_mechanics(attack, exploration)
        own = source in OWN and not comes_with_the_app(sample)
        show_history(
            history().add(
                exploration, sample.caption or sample.name, session().answered, network, "" if own else sample.name
            )
        )
        guide()
        offer_downloads(exploration, device, uploaded or card_of(network).source == "python")
    with advice:  # last, as it may take a while
        show_advice(exploration, clf)
    with responses:
        show_responses(question, clf, exploration)


def set_up(name: str) -> Attack | None:
    """The attack of this name with its settings; None, and a sentence, where they do not go together."""
    try:
        return configure(presets_of(name), ATTACKS[name].main, prefix_of(name), on_turn=turned, on_preset=reset)
    except ValueError as error:
        st.error(plain(error))
        return None
    finally:
        st.container(key="about").caption(about(name))


def reset(preset: str) -> None:
    """A preset shows the whole of its attack; the defaults are those of everything below the sliders as well."""
    show_last()
    if preset == DEFAULTS:
        st.session_state.target, st.session_state.method = ANY_CLASS, DEFAULT_METHOD
        allow_everywhere()


def choose_method(clf: Classifier) -> str:
    """The attribution method that labels the pixels: one that is valid for the network."""
    valid = valid_methods(clf)
    bound("method", [METHODS[name].title for name in valid])
    return st.selectbox(
        "Pixels labelled by",
        valid,
        format_func=lambda name: METHODS[name].title,
        key="method",
        bind="query-params",
    )


def tell(exploration: Exploration) -> None:
    """What happened, in one sentence, whether the network saw the right class to begin with, and what else is worth
    knowing of the run.
    """
    st.header(plain(exploration.story).replace(" %", "\u00a0%"), anchor=False)
    if exploration.already_wrong:
        seen, true = (plain(exploration.class_names[label]) for label in (exploration.label, exploration.true_label))
        st.info(
            f"The network already gets this picture wrong: the true class is {true}, and the network sees {seen}. So "
            f"it was attacked from {seen}."
        )
    elif exploration.true_label is None:
        seen = plain(exploration.class_names[exploration.label])
        st.caption(
            f"The true class is **guessed from the prediction**: {seen}. If it is another, choose it as *True class*."
        )
    for remark in exploration.remarks:
        st.caption(remark)


page()
