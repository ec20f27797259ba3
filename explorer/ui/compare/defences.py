"""Does a filter stop it? One picture before and after the filter, then what the filter is worth on many."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import streamlit as st
import torch

from explorer.attacks import RandomSearch, SparseAttack
from explorer.classifiers import Classifier
from explorer.defences import DEFENCES, Defence, Look, look
from explorer.figures import share_intervals, told
from explorer.figures.scales import short
from explorer.hashes import image_sha256
from explorer.knobs import knobs
from explorer.locks import read_only_twin
from explorer.studies.resistance import NONE, Resistance, resistance
from explorer.types import Sample
from explorer.ui.caches import content_of
from explorer.ui.compare import parts
from explorer.ui.compare.choices import BATCH, choose_count, choose_network, choose_picture, network_of
from explorer.ui.controls import widget
from explorer.ui.evidence import QUIET
from explorer.ui.lesson.explored import explored
from explorer.ui.link import bound
from explorer.ui.long_runs import control
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.run_files import key_of
from explorer.ui.runs import expected_seconds
from explorer.ui.subjects import labelled_pictures

ATTACK, CHECK = SparseAttack(), RandomSearch(queries=1000)
MOST_PICTURES = 30
HINT = "Point at a pixel to compare it in the clean and in the attacked picture."
SAFE = (
    "**A filter that stops plain attacks is not safe.** A plain attack knows nothing of the filter. An *adaptive* one "
    "is made on the network together with the filter: it follows the filter's own gradient, or, where there is none, "
    "takes it for the identity on the way back (BPDA). The random search needs no gradients; where it fools more than "
    "the adaptive attack, the filter only hides them."
)


def show_defences() -> None:
    """Choose a filter, see it work on one picture, then measure it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose_network("defence_network")
        titles = {each: kind.title for each, kind in DEFENCES.items()}
        bound("defence", titles.values())
        kind = st.selectbox(
            "Defence", list(DEFENCES), format_func=titles.get, key="defence", bind="query-params", width=260
        )
    st.caption(f"{DEFENCES[kind].summary} ({DEFENCES[kind].source})")
    values = {}
    every = knobs(DEFENCES[kind])
    for column, (field, knob) in zip(st.columns(max(2, len(every))), every.items(), strict=False):
        with column:
            values[field] = widget(knob, [DEFENCES[kind]()], prefix=f"{kind}.")
    defence = DEFENCES[kind](**values)
    clf = network_of(name)
    samples = labelled_pictures([name])
    show_one(clf, choose_picture("defence_picture", samples), defence)
    st.markdown("##### On many pictures")
    show_many(clf, samples, {defence.title: defence}, titles, kind)


def show_one(clf: Classifier, sample: Sample, defence: Defence) -> None:
    """Clean and attacked, each without and with the filter, and what the network sees."""
    exploration = explored(clf, sample.name, ATTACK)
    if exploration is None:
        return
    twin, names = read_only_twin(clf), clf.class_names
    images, panes, right = {}, [], {}
    for name, image in (("clean", exploration.image), ("attacked", exploration.adversarial)):
        seen: Look = look(twin, defence, image.to(clf.device))
        for filtered, picture, label in (
            (False, seen.before, seen.prediction_before),
            (True, seen.filtered, seen.prediction_filtered),
        ):
            title = f"{name.capitalize()}{', filtered' * filtered}"
            right[title] = label == sample.label
            text = f"{'✓' if right[title] else '✗'} {names[label]}"
            images[title] = picture.cpu()
            panes.append({"title": title, "text": text, "shows": title, "alt": f"{title}. The network sees: {text}."})
    images = {title: images[title] for title in ("Clean", "Attacked", "Clean, filtered", "Attacked, filtered")}
    canvas(images, panes, (), (), (), HINT, "defence-pictures", None)
    clean, attacked = right["Clean, filtered"], right["Attacked, filtered"]
    n_pixels = exploration.n_pixels
    verdict = (
        "the filter stops this attack, and the clean sign is still seen"
        if clean and attacked
        else "the attack gets through the filter"
        if clean
        else "the filter is too strong: the network mistakes even the clean picture behind it"
    )
    st.markdown(f"{n_pixels} changed pixel{'s' * (n_pixels != 1)}: {verdict}.")


def show_many(
    clf: Classifier, samples: Sequence[Sample], defences: Mapping[str, Defence], titles: Mapping[str, str], kind: str
) -> None:
    """The chosen filter, and others with their usual settings, on many pictures."""
    st.markdown(SAFE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        others = [each for each in DEFENCES if each != kind]
        bound("defence_also", [titles[each] for each in others])
        also = st.multiselect(
            "Compare with",
            others,
            [],
            format_func=titles.get,
            key="defence_also",
            bind="query-params",
            help="With their usual settings.",
            width=420,
        )
        n = choose_count("defence_n", min(MOST_PICTURES, len(samples)))
    defences = {**defences, **{titles[each]: DEFENCES[each]() for each in also}}
    chosen = samples[:n]
    key = key_of("defences", content_of(clf), [image_sha256(each.image) for each in chosen], defences)

    def make() -> Iterator[Resistance]:
        images = torch.stack([sample.image for sample in chosen]).to(clf.device)
        labels = torch.tensor([sample.label for sample in chosen], device=clf.device)
        yield from resistance(clf, images, labels, defences, ATTACK, CHECK, batch=BATCH)

    run = parts.parts_run(key, clf, len(defences) + 1, make)
    work: parts.Parts = run.of
    made = [*work.made]
    seconds = (expected_seconds(ATTACK, clf) + expected_seconds(CHECK, clf)) * n * work.left
    rest = parts.told(len(made), work.left, f"{2 * n * work.total} attacks", seconds)
    control(run, "Measure" if work.left else "", "Go on" if made and work.left else None, rest, key="defences")
    if len(made) > 1:
        show_rows(made)


def show_rows(made: Sequence[Resistance]) -> None:
    """What each filter costs, what it stops, and what that is worth."""
    shown = ["no filter" if row.defence == NONE else row.defence for row in made]
    series = {
        "clean seen correctly": [row.clean for row in made],
        "plain attacks survive": [row.survive for row in made],
        "adaptive attack fools": [row.adaptive for row in made],
        "random search fools": [row.gradient_free for row in made],
    }
    alt = "; ".join(
        f"{name}, {title}: {told(share)}"
        for title, shares in series.items()
        for name, share in zip(shown, shares, strict=True)
    )
    st.plotly_chart(share_intervals(shown, series), key="defence-shares", config=QUIET, alt=f"{alt}.")
    table = [
        {
            "filter": name,
            "clean accuracy": told(row.clean),
            "cost": f"{100 * (1 - row.clean.value):.0f} %",
            "plain attacks survive": told(row.survive),
            "adaptive attack fools": told(row.adaptive),
            "adaptive: pixels": short(row.adaptive_pixels),
            "random search fools": told(row.gradient_free),
            "random: pixels": short(row.gradient_free_pixels),
        }
        for name, row in zip(shown, made, strict=True)
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, alt="The same numbers, with 95 % intervals.")
    for name, row in zip(shown, made, strict=True):
        if row.defence == NONE:
            continue
        if row.masked:
            st.warning(
                f"{plain(name)}: the random search fools more than the adaptive attack. Gradients mislead there."
            )
        elif row.survive.of and row.adaptive.hits and row.survive.value < row.adaptive.value:
            st.markdown(
                f"{plain(name)}: {row.survive.hits} of {row.survive.of} plain attacks survive the filter, but an "
                f"attack that knows of it fools {row.adaptive.hits} of {row.adaptive.of}."
            )
