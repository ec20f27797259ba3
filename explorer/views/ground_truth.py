"""The Ground truth page: on rendered signs it is known where the evidence lies, so labels can be put to the test."""

import csv

import pandas as pd
import streamlit as st

from explorer.attacks import ATTACKS
from explorer.classifiers import CLASSIFIERS, DEFAULT, Classifier
from explorer.evidence import DEFAULT_METHOD, METHODS
from explorer.figures import truth_rates
from explorer.folders import ASSETS
from explorer.images import from_uint8
from explorer.jobs import Job
from explorer.palette import LOOKS
from explorer.signs import CLASS_NAMES
from explorer.studies.trials import Signs, SignTrial, hits, localisation, try_signs
from explorer.training import UNSEEN_SEEDS
from explorer.ui.caches import classifier, content_of, valid_methods
from explorer.ui.evidence import QUIET
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.truth import painted
from explorer.ui.work import advance, result_of

MEASURED = ASSETS / "ground_truth"
FIRST_SEED = UNSEEN_SEEDS + 500_000_000  # of scenes that no network has been trained or measured on
FEW = 10  # signs: of fewer, all are often alike, and their interval would have no width
WHAT = """
A rendered sign is a function of its class and its scene. So the same scene can be drawn with the sign that the network
was led to, and the difference is the **ground truth**: what only the true sign shows, and what only the wrong one
shows. If the two kinds of pixel are what they are called, {obscuring} **obscuring** pixels should fall on what only
the true sign shows, and {leading} **leading** ones on what only the wrong sign shows, more often than by *chance*. That
is how often a random pixel of the sign falls there; *above chance* is the difference, in percentage points, and says
something where its interval leaves out 0. *Kind right* is the share of pixels on either of the two whose label says
the right kind. A stroke is hardly wider than a pixel, so a pixel may lie one pixel beside it. Intervals hold 95 %, by
resampling signs.
"""


def page() -> None:
    st.title("Do the labels fall where the evidence lies?", anchor=False)
    st.markdown(WHAT.format(**{kind: look.sign for kind, look in LOOKS.items()}))
    names = [name for name, card in CLASSIFIERS.items() if card.dataset == "signs"]
    name = st.selectbox(
        "Network",
        names,
        index=names.index(DEFAULT),
        format_func=lambda each: CLASSIFIERS[each].title,
        key="truth_network",
        width=300,
    )
    show_measured(name)
    try:
        clf = classifier(name)
    except RuntimeError as error:
        st.error(plain(error))
        return
    measure_some(clf)


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
    for column, kind in zip(st.columns(2, gap="medium"), LOOKS, strict=True):
        with column:
            figure = truth_rates(titles, rows, kind)
            st.plotly_chart(
                figure, key=f"truth-{kind}", config=QUIET, alt=f"How often {kind} pixels fall where they should."
            )
    show_table(titles, rows, alt="The same numbers, with the differences from chance and the share of right kinds.")


def measure_some(clf: Classifier) -> None:
    """A few signs, here and now."""
    st.markdown("##### Try it yourself")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = st.number_input("Signs", 2, 30, 6, key="truth_n", width=130)
        first = st.number_input("First scene", 0, 100_000, 0, key="truth_first", width=150)
        valid = valid_methods(clf)
        method = st.selectbox(
            "Pixels labelled by",
            valid,
            index=valid.index(DEFAULT_METHOD),
            format_func=lambda each: METHODS[each].title,
            key="truth_method",
            width=230,
        )
        asked = st.button("Measure", type="primary")
    key = ("truth", content_of(clf), n, first, method)
    if asked:
        st.session_state.truth_asked = key
    if st.session_state.get("truth_asked") != key:
        return

    def work(job: Job) -> list[SignTrial]:
        def on_progress(done: int) -> None:
            advance(job, done, n, f"Sign {done + 1} of {n}: attacking and labelling")

        attack = next(iter(ATTACKS.values()))()
        return try_signs(clf, attack, Signs.draw(clf, n, FIRST_SEED + first, clf.device), method, on_progress)

    trials = result_of("-".join(map(str, key)), clf, work)
    if trials is None:
        return
    if not trials:
        st.warning("None of these signs was fooled: try others.")
        return
    rates = localisation([hits(trial.evidence, trial.truth) for trial in trials])
    row = {f"{key}{end}": getattr(rate, part) for key, rate in rates.items() for end, part in ENDS}
    few = len(trials) < FEW
    show_table([METHODS[method].title], [row], alt="The rates on these signs.", intervals=not few)
    if few:
        st.caption(f"No intervals for fewer than {FEW} signs: resampling so few says next to nothing about others.")
    at = st.select_slider("Sign", range(1, len(trials) + 1), key="truth_at") if len(trials) > 1 else 1
    show_sign(trials[at - 1])


def show_sign(trial: SignTrial) -> None:
    """One sign: attacked, drawn as the wrong one, and whose is what."""
    names = [CLASS_NAMES[label] for label in (trial.evidence.label, trial.evidence.adversarial_label)]
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
