"""The Ground truth page: on rendered signs it is known where the evidence lies, so labels can be put to the test."""

import csv

import pandas as pd
import streamlit as st

from explorer.attacks import ATTACKS
from explorer.classifiers import CLASSIFIERS, DEFAULT, Classifier
from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.figures import truth_rates, truth_reach
from explorer.folders import ASSETS
from explorer.images import from_uint8
from explorer.jobs import Job
from explorer.palette import LOOKS
from explorer.samples import RoadSigns
from explorer.signs import CLASS_NAMES
from explorer.studies.trials import Hits, Signs, SignTrial, hits, localisation, try_signs
from explorer.ui.caches import classifier, content_of, valid_methods
from explorer.ui.evidence import QUIET
from explorer.ui.known_signs import FIRST_SEED, SIGNS, find_signs
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.runs import FEWEST, MOST, expected_seconds
from explorer.ui.truth import painted
from explorer.ui.words import between
from explorer.ui.work import advance, result_of

MEASURED = ASSETS / "ground_truth"
FEW = 10  # signs: of fewer, all are often alike, and their interval would have no width
LEAD = """
A rendered sign is drawn by a program, so the same scene can be drawn with the sign that the network was led to. Where
the two differ is the **ground truth**: {obscuring} **obscuring** pixels should fall on what only the true sign shows,
{leading} **leading** ones on what only the wrong one shows.
"""
HOW = """
*Chance* is how often a random pixel of the sign falls there. *Above chance* is the difference, in percentage points,
and says something where its interval leaves out 0. *Kind right* is the share of pixels on either
of the two whose label says the right kind. A stroke is hardly wider than a pixel, so a pixel may lie one pixel beside
it. Intervals hold 95 %, by resampling signs.
"""


def page() -> None:
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        st.title("Do the labels fall where the evidence lies?", anchor=False)
        names = [name for name, card in CLASSIFIERS.items() if card.dataset == RoadSigns.name]
        name = st.selectbox(
            "Network",
            names,
            index=names.index(DEFAULT),
            format_func=lambda each: CLASSIFIERS[each].title,
            key="truth_network",
            width=300,
        )
    st.markdown(LEAD.format(**{kind: look.sign for kind, look in LOOKS.items()}))
    try:
        clf = classifier(name)
    except RuntimeError as error:
        st.error(plain(error))
    else:
        measure_some(clf)
    show_measured(name)


def show_measured(name: str) -> None:
    """What was measured once, on many signs, by the command."""
    rows = measured(name)
    if not rows:
        st.info(
            f"Not measured yet for this network: `python -m explorer evidence --model {name} --ground-truth` does it."
        )
        return
    titles = [METHODS[row["method"]].title for row in rows]
    st.markdown(f"##### Measured on {int(rows[0]['signs']):,} signs")
    usual = next((row for row in rows if row["method"] == DEFAULT_METHOD), rows[0])
    st.markdown(f"By {METHODS[usual['method']].title.lower()}, {measured_words(usual)}. {HOW}")
    reach = truth_reach(rows)
    for column, kind in zip(st.columns(2, gap="medium"), LOOKS, strict=True):
        with column:
            figure = truth_rates(titles, rows, kind, reach)
            st.plotly_chart(
                figure, key=f"truth-{kind}", config=QUIET, alt=f"How often {kind} pixels fall where they should."
            )
    show_table(titles, rows, alt="The same numbers, with the differences from chance and the share of right kinds.")


def measure_some(clf: Classifier) -> None:
    """A few signs: those that came with the project at once, others here and now."""
    hero = st.container(key="truth-hero")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.container(width=260)
        n = st.number_input("Signs", 2, 30, SIGNS, key="truth_n", width=130)
        first = st.number_input("First scene", 0, 100_000, 0, key="truth_first", width=150)
        valid = valid_methods(clf)
        method = st.selectbox(
            "Pixels labelled by",
            valid,
            format_func=lambda each: METHODS[each].title,
            key="truth_method",
            width=230,
        )
        asked = st.button("Measure", type="primary")
    key = "-".join(map(str, ("truth", content_of(clf), n, first, method)))
    if asked:
        st.session_state.truth_asked = key
    with hero:
        trials = trials_of(clf, n, first, method, key)
    if not trials:
        return
    with which:
        kinds = [min(each.evidence.count(kind) for kind in LOOKS) for each in trials]
        telling = kinds.index(max(kinds))  # has the most pixels of both kinds
        numbers = range(1, len(trials) + 1)
        at = st.select_slider("Sign", numbers, telling + 1, key=f"at-{key}") if len(trials) > 1 else 1
    with hero:
        show_sign(trials[at - 1])
    found = [hits(trial.evidence, trial.truth) for trial in trials]
    st.markdown(f"**On these {len(trials)} signs**, {counted(found)}.")
    row = {f"{name}{end}": getattr(rate, part) for name, rate in localisation(found).items() for end, part in ENDS}
    few = len(trials) < FEW
    show_table([METHODS[method].title], [row], alt="The rates on these signs.", intervals=not few)
    if few:
        st.caption(f"No intervals for fewer than {FEW} signs: resampling so few says next to nothing about others.")


def trials_of(clf: Classifier, n: int, first: int, method: str, key: str) -> list[SignTrial] | None:
    """What was measured when asked to, or came with the app. None, and a sentence, where there is nothing."""
    attack = next(iter(ATTACKS.values()))()

    def work(job: Job, twin: Classifier) -> list[SignTrial]:
        def on_progress(done: int) -> None:
            advance(job, done, n, f"Sign {done + 1} of {n}: attacking and labelling")

        return try_signs(twin, attack, Signs.draw(twin, n, FIRST_SEED + first, twin.device), method, on_progress)

    if st.session_state.get("truth_asked") == key:
        trials = result_of(key, clf, work)
        if trials == []:
            st.warning("None of these signs was fooled: try others.")
        return trials
    if (known := find_signs(clf, attack, method, n, FIRST_SEED + first)) is None:
        takes = between(*(n * expected_seconds(attack, clf, passes) for passes in (FEWEST, MOST)))
        st.info(f"Press *Measure*: {n} signs are attacked and labelled, which takes {takes}.")
    return known


def show_sign(trial: SignTrial) -> None:
    """One sign: what came of it, attacked, drawn as the wrong one, and whose is what."""
    names = [CLASS_NAMES[label] for label in (trial.evidence.label, trial.evidence.adversarial_label)]
    found = hits(trial.evidence, trial.truth)
    st.markdown(
        f"**{names[0]}**, seen as **{names[1]}** after {plural(len(trial.evidence.pixels))} changed: "
        f"{of(found.obscuring_hits, found.obscuring, 'obscuring')} on what only *{names[0]}* shows, "
        f"and {of(found.leading_hits, found.leading, 'leading')} on what only *{names[1]}* shows."
    )
    images = {
        "before": trial.image,
        "after": trial.adversarial,
        "other": trial.other,
        "masks": from_uint8(painted(trial.truth)),
    }
    panes = [
        {
            "title": names[0],
            "text": "attacked",
            "shows": "after",
            "alt": f"{names[0]}, attacked.",
        },
        {"title": names[1], "text": "in the same scene", "shows": "other", "alt": f"{names[1]} there."},
        {
            "title": "Whose is what",
            "shows": "masks",
            "marked": True,
            "alt": f"Blue: what only {names[0]} shows. Orange: what only {names[1]} shows. Grey: both signs.",
        },
    ]
    hint = f"Blue ground: only {names[0]} has something there. Orange ground: only {names[1]}. Grey: both signs alike."
    canvas(images, panes, trial.evidence.pixels, (), (), hint, "truth-picture", None, trial.evidence.unit)


def plural(n: int) -> str:
    return "1 pixel was" if n == 1 else f"{n} pixels were"


def of(hit: int, n: int, kind: str) -> str:
    """How many pixels of a kind lie where they should."""
    if not n:
        return f"no {kind} pixel lies"
    return f"{hit} of {n} {kind} pixel{'s lie' if n > 1 else ' lies'}"


def counted(found: list[Hits]) -> str:
    """The hits of all signs, and how many a random pixel of the sign would give."""
    obscuring, leading = sum(each.obscuring for each in found), sum(each.leading for each in found)
    by_chance = [sum(h.obscuring * h.true_area for h in found), sum(h.leading * h.wrong_area for h in found)]
    hides = of(sum(each.obscuring_hits for each in found), obscuring, "obscuring")
    shows = of(sum(each.leading_hits for each in found), leading, "leading")
    return (
        f"{hides} on what only the true sign shows ({by_chance[0]:.1f} by chance), and {shows} on what only the wrong "
        f"one shows ({by_chance[1]:.1f} by chance)"
    )


def measured_words(row: dict) -> str:
    """What one method's row says, in a sentence's part."""
    told = []
    for kind, key, whose in (("obscuring", "obscuring_on_true", "true"), ("leading", "leading_on_wrong", "wrong")):
        chance, gain = row[f"{kind}_chance"], f"{kind}_gain"
        low, high = row[f"{gain}_low"], row[f"{gain}_high"]
        sure = "more often than" if low > 0 else "less often than" if high < 0 else "not surely more often than"
        told.append(
            f"**{kind}** pixels fall on the {whose} sign's own in **{100 * row[key]:.0f} %**, {sure} by chance "
            f"({100 * chance:.0f} %)"
        )
    return ", and ".join(told)


ENDS = (("", "value"), ("_low", "low"), ("_high", "high"))
COLUMNS = {
    "obscuring_on_true": "obscuring on true sign",
    "obscuring_chance": "chance",
    "obscuring_gain": "above chance",
    "leading_on_wrong": "leading on wrong sign",
    "leading_chance": "chance",
    "leading_gain": "above chance",
    "kind_right": "kind right",
}


def show_table(titles: list[str], rows: list[dict], alt: str, intervals: bool = True) -> None:
    """Rates in per cent, differences in percentage points, with their intervals or without."""
    cells = [
        {"method": title, **{key: cell(row, key, intervals) for key in COLUMNS}}
        for title, row in zip(titles, rows, strict=True)
    ]
    heads = {"method": st.column_config.TextColumn(pinned=True), **COLUMNS}
    st.dataframe(pd.DataFrame(cells), hide_index=True, column_config=heads, alt=alt)


def cell(row: dict, key: str, interval: bool) -> str:
    """One number, and where it may lie."""
    if row[key] != row[key]:
        return "–"
    value, low, high = (f"{100 * row[key + end]:z.1f}".replace("-", "−") for end, _ in ENDS)
    unit = "points" if key.endswith("_gain") else "%"
    return f"{value} {unit} ({low} to {high})" if interval else f"{value} {unit}"


def measured(name: str) -> list[dict]:
    """The rows of the command's table for this network; none where there is no file."""
    path = MEASURED / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{key: value if key == "method" else float(value or "nan") for key, value in row.items()} for row in rows]


page()
