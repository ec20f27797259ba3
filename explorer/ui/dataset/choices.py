"""What a study is about: its pictures, the networks that look at them, and the attack."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from explorer.attacks import Attack
from explorer.classifiers import CLASSIFIERS, Classifier, torchvision_names
from explorer.classifiers.own import own_cards
from explorer.hashes import stamp
from explorer.images import picture_files
from explorer.limits import limits
from explorer.samples import DATA_SETS, Listed, Source, named_pictures
from explorer.samples import sources as named_sources
from explorer.samples.offered import offered_folders
from explorer.studies.dataset import folder_pictures
from explorer.ui.compare.choices import attack_choices, network_of, title_of
from explorer.ui.dataset.uploads import kept, upload_pictures
from explorer.ui.link import SWITCH, bound, linked_number, whole
from explorer.ui.networks import BRING, UPLOADED, card_of, registered
from explorer.ui.session import session

UPLOAD = "Your pictures"
FOLDER = "folder: "
MOST_NETWORKS = 3
USUAL = 18  # pictures at first: of the signs, one of each class


@dataclass(frozen=True)
class Choice:
    """What a person asked the page to study."""

    source: str  # a key of shown_sources(), UPLOAD, or FOLDER and what a folder of the server's is called
    folder: Path | None  # that folder
    n: int  # pictures
    networks: tuple[str, ...]
    attack_title: str
    attack: Attack
    guess: bool  # what each network sees counts as the true class
    uploaded: tuple[Listed, ...] = ()

    @property
    def of_the_visit(self) -> bool:
        """Whether something in it is the visitor's alone."""
        return self.source == UPLOAD or UPLOADED in self.networks

    @property
    def pictures_title(self) -> str:
        if self.source == UPLOAD:
            return "pictures that a visitor uploaded"
        guessed = ", true classes guessed by each network" if self.guess and self.folder else ""
        known = named_sources().get(self.source)
        title = known.title if known else f"pictures of the folder {self.source.removeprefix(FOLDER)}"
        return title + guessed

    def clf(self, network: str) -> Classifier:
        return network_of(network)

    def listed(self, clf: Classifier) -> Sequence[Listed]:
        """The pictures, as this network can be asked about them. Raises ValueError with one sentence."""
        if self.source == UPLOAD:
            return self.uploaded[: self.n]
        if self.folder is None:
            return named_pictures(self.source, self.n)
        return _in_folder(self.folder, self.source, None if self.guess else clf.class_names)[: self.n]

    def known(self) -> list:
        """What decides over the study, for its key."""
        told = [self.source, self.n, type(self.attack).__name__, repr(self.attack), self.guess]
        if self.folder is not None:
            inside = [self.folder, *(each for each in self.folder.iterdir() if each.is_dir())]
            told += sorted([str(path), stamp(path)] for each in inside for path in picture_files(each))
        of = dataset_of(self.source)
        if of is not None and (now := DATA_SETS[of].now()):
            told.append(now)
        if self.source == UPLOAD:
            told += [picture.name for picture in kept()]
        return told


def shown_sources() -> dict[str, Source]:
    """Pictures of data sets that the page offers, by the name that commands call them."""
    return {name: source for name, source in named_sources().items() if source.shown}


def dataset_of(source: str) -> str | None:
    """The data set that these are pictures of; None if nobody knows."""
    known = named_sources().get(source)
    return None if known is None else known.dataset


def choose() -> Choice:
    """All of it. Raises ValueError with one sentence if it is nothing, or too much for a page."""
    every = shown_sources()
    taken = (*(source.shown for source in every.values()), UPLOAD)
    folders = {f"{name} (folder)" if name in taken else name: path for name, path in offered_folders().items()}
    sources = {name: source.shown for name, source in every.items() if DATA_SETS[source.dataset].here()}
    titles = [*sources.values(), *folders, UPLOAD]
    bound("pictures", titles)
    with (row := st.container(horizontal=True, vertical_alignment="bottom")):
        title = st.selectbox(
            "Pictures",
            titles,
            key="pictures",
            bind="query-params",
            width=230,
            help="New road signs are rendered as they are needed, as many as you like. Whoever runs the server can "
            "offer folders: `python -m explorer serve --pictures DIR`. Of any folder: `python -m explorer dataset`.",
        )
        folder = folders.get(title)
        known = {shown: name for name, shown in sources.items()} | {UPLOAD: UPLOAD}
        source = known.get(title, FOLDER + title)
        networks = choose_networks(source)
        choices = attack_choices()
        named = {name: known for name, (known, _) in choices.items()}
        bound("dataset_attack", named.values())
        attack = st.selectbox(
            "Attack", list(named), format_func=named.get, key="dataset_attack", bind="query-params", width=230
        )
    uploaded = tuple(upload_pictures()) if source == UPLOAD else ()
    guess = False
    with row:
        most = _most(source, folder, uploaded, len(networks))
        if most > 1:
            usual = min(USUAL, most)
            linked_number("dataset_n", "pictures", whole(1, most), usual)
            n = st.slider("How many pictures", 1, most, usual, key="dataset_n", bind="query-params", width=260)
        else:
            n = most
        if folder is not None:
            bound("guess", SWITCH)
            guess = st.toggle(
                "Guess the true classes",
                key="guess",
                bind="query-params",
                help="On: what a network sees in a picture counts as its true class. Off: the names of the folders "
                "within it are the classes; a picture that a network mistakes is not attacked.",
            )
    if not networks:
        raise ValueError("Choose at least one network.")
    if not n:
        raise ValueError("Bring at least one picture.")
    return Choice(source, folder, n, tuple(networks), named[attack], choices[attack][1], guess, uploaded)


def choose_networks(source: str) -> list[str]:
    """Those that know the pictures' classes, or any that are here where nobody knows them."""
    names = networks_for(source)
    key = f"dataset_networks_{dataset_of(source) or 'any'}"
    bound(key, map(title_of, names))
    return st.multiselect(
        "Networks",
        names,
        names[:1],
        format_func=title_of,
        max_selections=MOST_NETWORKS,
        key=key,
        bind="query-params",
        help=BRING,
        width=360,
    )


def networks_for(source: str) -> list[str]:
    """The names of the networks that can look at pictures of this source."""
    torchvision = [*(card.name for card in CLASSIFIERS.values() if card.source == "torchvision"), *torchvision_names()]
    here = [card.name for card in CLASSIFIERS.values() if card.source == "bundled"]
    here += [card.name for card in (*registered(), *own_cards())]
    here += [name for name in dict.fromkeys(torchvision) if card_of(name).available]
    wanted = dataset_of(source)
    found = [name for name in here if wanted in (None, card_of(name).dataset)]
    own = session().own
    return [*found, UPLOADED] if own is not None and wanted in (None, own.dataset) else found


def _most(source: str, folder: Path | None, uploaded: Sequence[Listed], n_networks: int) -> int:
    """How many pictures can be chosen."""
    limit = max(1, limits().dataset_attacks // max(1, n_networks))
    if source == UPLOAD:
        return min(limit, len(uploaded))
    if folder is not None:
        return min(limit, len(_in_folder(folder, source)))
    return min(limit, named_sources()[source].count or limit)


def _in_folder(folder: Path, source: str, class_names: Sequence[str] | None = None) -> Sequence[Listed]:
    """The pictures of a folder that the server offers. Where it lies is nothing to visitors."""
    try:
        return folder_pictures(folder, class_names)
    except ValueError as error:
        raise ValueError(str(error).replace(str(folder), source.removeprefix(FOLDER))) from error
