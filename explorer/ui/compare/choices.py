"""What can be compared: attacks with their presets, networks whose pictures are here, and these pictures."""

from collections.abc import Collection, Sequence

import streamlit as st

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import Classifier
from explorer.types import Sample
from explorer.ui.attacks import DEFAULTS, presets_of
from explorer.ui.caches import classifier
from explorer.ui.gallery import gallery
from explorer.ui.link import bound, link, linked_here, linked_number, whole
from explorer.ui.networks import UPLOADED, card_of
from explorer.ui.session import session
from explorer.ui.subjects import tunable_networks

YOURS = "your uploaded weights"
BATCH = 5  # pictures at a time: after each batch, Stop and others get their turn


def attack_choices() -> dict[str, tuple[str, Attack]]:
    """Every attack and preset by its name in the link: what it is called, and the attack."""
    found = {}
    for name, kind in ATTACKS.items():
        for title, attack in presets_of(name).items():
            usual = title == DEFAULTS
            key = name if usual else f"{name}-{title.split()[-1].lower()}"
            found[key] = kind.title if usual else f"{kind.title}, {title[0].lower()}{title[1:]}", attack
    return found


def choose_attacks(key: str, default: Sequence[str], most: int) -> dict[str, Attack]:
    """One to `most` attacks, by their titles."""
    choices = attack_choices()
    titles = {name: title for name, (title, _) in choices.items()}
    bound(key, titles.values())
    names = st.multiselect(
        "Attacks",
        list(choices),
        list(default),
        format_func=titles.get,
        max_selections=most,
        key=key,
        bind="query-params",
        help="With their usual settings: as in the paper, or the defaults of this app.",
        width=500,
    )
    return {titles[name]: choices[name][1] for name in names}


def comparable_networks() -> list[str]:
    """Names of the networks whose pictures are here, a visitor's uploaded weights among them."""
    names = tunable_networks()
    own = session().own
    known = {card_of(name).dataset for name in names}
    return [*names, UPLOADED] if own is not None and own.dataset in known else names


def network_of(name: str) -> Classifier:
    """A network by its name among these."""
    return session().own if name == UPLOADED else classifier(name)


def title_of(name: str) -> str:
    """What a network is called on this page."""
    return YOURS if name == UPLOADED else card_of(name).title


def short_titles(names: Collection[str]) -> dict[str, str]:
    """The same without what all of them begin with, such as the name of their pictures, where they stay apart."""
    titles = {name: title_of(name) for name in names}
    short = {name: title.partition(": ")[2] or title for name, title in titles.items()}
    short = {name: title[0].upper() + title[1:] for name, title in short.items()}
    return short if len({*short.values()}) == len(titles) else titles


def choose_network(key: str) -> str:
    """One network, by its name."""
    names = tunable_networks()
    bound(key, map(title_of, names))
    return st.selectbox("Network", names, format_func=title_of, key=key, bind="query-params", width=320)


def choose_picture(key: str, samples: Sequence[Sample]) -> Sample:
    """One picture, by a click on its thumbnail; its name is in the link."""
    by_name = {sample.name: sample for sample in samples}
    usual = samples[0].name
    name = linked_here(key, by_name, usual)
    gallery(samples, name, f"{key}-thumbnails", lambda picked: link(key, picked, usual))
    return by_name[name]


def choose_count(key: str, most: int, usual: int = 10) -> int:
    """How many pictures."""
    usual = min(usual, most)
    linked_number(key, "pictures", whole(1, most), usual)
    if most == 1:
        return 1
    return st.slider("Pictures, one of each class first", 1, most, usual, key=key, bind="query-params", width=320)
