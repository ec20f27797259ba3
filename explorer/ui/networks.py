"""Which network is attacked: bundled, torchvision's, which may have to be downloaded first, or a person's own."""

from functools import lru_cache

import streamlit as st

from explorer.classifiers import (
    CLASSIFIERS,
    DEFAULT,
    Card,
    Classifier,
    find_card,
    registered_cards,
    torchvision_names,
)
from explorer.classifiers.own import PREFIX, own_cards
from explorer.fetching import FetchFailed
from explorer.jobs import Job
from explorer.memory import as_one_sentence
from explorer.samples import CUSTOM, DATA_SETS, ImageNet
from explorer.ui.arrival import show_arrival, show_mapping
from explorer.ui.caches import classifier, seconds_per_step
from explorer.ui.data_sets import PATIENCE, QUEUE
from explorer.ui.link import link, linked
from explorer.ui.long_runs import LongRun, control, long_runs
from explorer.ui.markdown import plain
from explorer.ui.own_network import uploaded_network
from explorer.ui.session import session

OWN = "own"
UPLOADED = "upload"  # the network whose weights a visitor brings along: no link can restore it
PARAMETER = "network"
BRING = (
    "Your own networks: weights that you upload on Explore, weights in the server's folder `models`, and networks in "
    "Python that whoever starts the server names: `python -m explorer serve --network my_network.py:load`."
)


def choose_network() -> str:
    """The name of the network to attack, which is in the link: by what it was trained on, then among these."""
    try:
        registered_cards()
    except ValueError as error:
        st.error(plain(error))
    names = _by_world()
    name = linked(PARAMETER, [each for some in names.values() for each in some], DEFAULT)
    st.session_state.world = next(world for world, some in names.items() if name in some)
    world = st.selectbox(
        "Network for",
        list(names),
        format_func=lambda world: DATA_SETS[world].label if world in DATA_SETS else "Your own",
        key="world",
        on_change=lambda: link(PARAMETER, names[st.session_state.world][0], DEFAULT),
        width=125,
    )
    st.session_state.network_choice = name
    st.selectbox(
        "Network",
        names[world],
        format_func=_title,
        key="network_choice",
        help=_help(name),
        on_change=lambda: link(PARAMETER, st.session_state.network_choice, DEFAULT),
        width=235,
    )
    return name


def _help(name: str) -> str:
    if name == UPLOADED:
        return BRING
    card = card_of(name)
    return f"{plain(card.summary)} {BRING}" if card.ones_own else plain(card.summary)


def load_network(name: str, device: str) -> Classifier | None:
    """The network of this name on this device. None, and what can be done about it, where it is not there."""
    if name == UPLOADED:
        return uploaded_network(device)
    card = card_of(name)
    if not card.available:
        _offer_weights(card)
        return None
    try:
        clf = classifier(name, device)
        with as_one_sentence():
            seconds_per_step(clf)  # the first pass tells whether it fits the memory
        if card.ones_own:
            show_arrival(clf, card.summary if clf.mapped else f"{card.summary} {clf.remark}", card)
            show_mapping(clf)
        return clf
    except (RuntimeError, ValueError) as error:  # weights that are damaged, too large, or one's own that do not fit
        st.error(plain(error))
        return None


def dataset_of(name: str) -> str:
    """Whose classes the network of this name knows, before it is loaded."""
    if name != UPLOADED:
        return card_of(name).dataset
    own = session().own
    return own.dataset if own else CUSTOM


def _by_world() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {world: [] for world in (*DATA_SETS, OWN)}
    for card in CLASSIFIERS.values():
        names[card.dataset].append(card.name)
    names[ImageNet.name] += torchvision_names()
    names[OWN] += [*(card.name for card in registered()), UPLOADED, *(card.name for card in own_cards())]
    return {world: some for world, some in names.items() if some}


def registered() -> list[Card]:
    """The server's networks in Python; none where anything is wrong with them, which `choose_network` says."""
    try:
        return registered_cards()
    except ValueError:
        return []


@lru_cache(maxsize=256)
def _known(name: str) -> Card:
    return find_card(name, paths=False)


def card_of(name: str) -> Card:
    """What is known of a network. A person's own file may have changed, so it is looked at each time."""
    return find_card(name, paths=False) if name.startswith(PREFIX) else _known(name)


def _title(name: str) -> str:
    if name == UPLOADED:
        return "Weights that you upload"
    card = card_of(name)
    title = card.title.partition(": ")[2] or card.title
    return title if card.available else f"{title} ({card.download.n_bytes / 1e6:,.0f} MB)"


def _offer_weights(card: Card) -> None:
    """Say what would be downloaded and where to, and do it when asked."""
    download = card.download
    size = f"{download.n_bytes / 1e6:,.0f} MB"
    key = f"weights-{download.path}"

    def advance(job: Job) -> bool:
        def on_bytes(done: int, total: int) -> None:
            total = total or download.n_bytes
            job.report(done, total, f"{card.architecture}: {done / 1e6:,.1f} of {total / 1e6:,.0f} MB")

        try:
            download.fetch(on_bytes, lambda: job.should_stop)
        except RuntimeError as error:
            raise FetchFailed(str(error)) from error
        return False

    run = long_runs().get(key, lambda: LongRun(key, QUEUE, advance, card.name, kind="download", deadline=PATIENCE))
    sentence = (
        f"The weights of **{plain(card.architecture)}** are not on the computer that runs this app: "
        f"{plain(download.path.name)}, {size}, would go to {plain(download.path.parent)}. The networks for road signs "
        "and CIFAR-10 come with the app and need no download."
    )
    control(run, f"Download {size}", None, sentence, key="weights-download")
