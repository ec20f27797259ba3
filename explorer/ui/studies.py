"""A grid as long work, and its results as pictures that can be pointed at."""

import base64
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.figures import Cell, Curve, constant, heat_map, parallel, pareto, response
from explorer.figures.scales import short
from explorer.hashes import image_sha256
from explorer.images import enlarge, to_png
from explorer.jobs import Job
from explorer.studies import Ledger, Study, Subject, grid, means, pareto_front, spread, version
from explorer.studies.measures import unpack
from explorer.studies.plan import KEPT_PIXELS
from explorer.types import Sample, Step
from explorer.ui.caches import classifier, content_of
from explorer.ui.evidence import QUIET
from explorer.ui.grid import Choice, go_to, symbol
from explorer.ui.long_runs import LongRun, long_runs
from explorer.ui.run_files import file_for, key_of
from explorer.ui.words import duration

MEASURES = {
    "pixels": "changed pixels",
    "success": "share fooled",
    "confidence": "confidence in the wrong class",
    "seconds": "seconds per run",
}
SHORT = {"pixels": "pixels", "success": "fooled", "confidence": "confidence", "seconds": "seconds"}  # titles of axes
LOW_IS_GOOD = {"pixels": True, "success": False, "confidence": False, "seconds": True}
PICTURES = 100  # cells that can show one each


def study_of(choice: Choice) -> LongRun:
    """The study that this choice means: the same one for everybody who makes it, also after the server's restart."""
    networks = [classifier(name) for name in choice.networks]
    pictures = [image_sha256(sample.image) for sample in choice.pictures]
    same = {name: of[0] for name, of in choice.values.items()}  # where the base stands on the grid's own knobs
    base = dataclasses.replace(choice.base, **same)
    key = key_of([content_of(clf) for clf in networks], pictures, base, dict(choice.values), version())

    def make(ledger: Ledger) -> Study:
        subjects = [subject_of(clf, choice.pictures) for clf in networks]
        return Study(subjects, grid(choice.base, choice.values), ledger)

    network = content_of(networks[0]) if len(networks) == 1 else ""
    return long_study(key, networks[0].device, make, kind="grid", network=network)


def subject_of(clf: Classifier, samples: Sequence[Sample]) -> Subject:
    """A network and the pictures, with their classes, that it is attacked on."""
    images = torch.stack([sample.image for sample in samples]).to(clf.device)
    labels = torch.tensor([sample.label for sample in samples], device=clf.device)
    return Subject(clf.name, clf, images, labels, [sample.name for sample in samples])


def long_study(
    key: str, device: torch.device, make: Callable[[Ledger], Study], *, kind: str, network: str = ""
) -> LongRun:
    """A study as long work, whose rows are kept in a file of this key; see LongRun for the rest."""

    def new() -> LongRun:
        path = file_for(key, ".jsonl")
        study = make(Ledger(path))
        return LongRun(key, str(device), partial(_advance, study), study, kind=kind, network=network, path=path)

    return long_runs().get(key, new)


def _advance(study: Study, job: Job) -> bool:
    before = study.done

    def on_step(step: Step) -> bool:
        job.report(study.done + study.next_batch * step.done / step.total, study.total, progress(study))
        return job.should_stop

    return study.advance(on_step) and study.done > before and study.left > 0


def progress(study: Study) -> str:
    """How far it is and how long it will take."""
    told = f"{study.done:,} of {study.total:,} runs"
    if not study.seconds_per_run:
        return told
    return f"{told}, {duration(study.left * study.seconds_per_run)} left"


def told(study: Study, expected: float = 0.0) -> str:
    """How much is done and, as far as that is known, how long the rest takes; `expected`: seconds of a run, as long as
    none was measured.
    """
    if not study.left:
        return f"All {study.total:,} runs are done."
    seconds = study.left * (study.seconds_per_run or expected)
    if not study.done:
        takes = f": {duration(seconds)} on this computer, if nobody else uses it" if seconds else ""
        return f"{study.total:,} runs{takes}."
    rest = f", {duration(seconds)} to go" if seconds else ""
    return f"{study.done:,} of {study.total:,} runs are done{rest}. What is done is kept: this page's link finds it."


def show_map(table: pd.DataFrame, rows: Sequence[dict], choice: Choice, measure: str, shown: Sample | None) -> None:
    """Small maps over the grid; a click opens the setting. `shown`: its results stand in the cells."""
    names, named = [*choice.values], _naming(choice)
    by = [*names, "network"] if len(names) == 2 and len(choice.networks) > 1 else names
    summary = means(table, by)
    pictures = _pictures(rows, by, shown) if shown else {}
    cells = []
    for index, line in enumerate(summary.to_dict("records")):
        setting = tuple(line[name] for name in by)
        facet = setting[2] if len(by) > 2 else ""
        cells.append(Cell(setting[0], setting[1], facet, float(line[measure]), index, pictures.get(setting, "")))
    figure = heat_map(
        cells,
        (named(by[0]), named(by[1]), named(by[2]) if len(by) > 2 else ""),
        MEASURES[measure],
        {named(name): getattr(choice.base, name) for name in names},
        best_is_low=LOW_IS_GOOD[measure],
    )
    best = summary[measure].min() if LOW_IS_GOOD[measure] else summary[measure].max()
    over = ", ".join(map(named, by))
    alt = f"A map of {MEASURES[measure]} for {len(cells)} settings of {over}; the best is {short(best)}."
    _clickable(figure, "map", alt, [_setting(line, choice) for line in summary.to_dict("records")], choice)
    if shown and len(pictures) < len(cells):
        st.caption(f"An empty cell: more than {KEPT_PIXELS:,} pixels changed, and the picture was not kept.")


def show_response(table: pd.DataFrame, choice: Choice, measure: str) -> None:
    """One knob's curve per value of the second, with the spread over the pictures."""
    names, named = [*choice.values], _naming(choice)
    with st.container(horizontal=True):
        x = st.segmented_control("Along", names, default=names[0], required=True, format_func=named, key="along")
        lines = [name for name in (*names, "network") if name != x and table[name].nunique() > 1]
        line = lines[0] if lines else None
        if len(lines) > 1:
            line = st.segmented_control("One line per", lines, default=line, format_func=named, key="line")
    curves = []
    for name, some in table.groupby(line, sort=True) if line else [("", table)]:
        each = spread(some, [x], measure)
        band = () if measure == "success" else (each["q25"].tolist(), each["q75"].tolist())
        title = f"{named(line)} {short(name)}" if line else ""
        curves.append(Curve(title, each[x].tolist(), each["mean"].tolist(), *band))
    if (always := constant(curves)) is not None:
        st.markdown(f"**{MEASURES[measure].capitalize()}** is {short(always)} at every value of {named(x)}.")
        return
    mark = getattr(choice.base, x)
    alt = f"{MEASURES[measure]} over {named(x)}, {len(curves)} curves."
    st.plotly_chart(
        response(curves, named(x), MEASURES[measure], mark, share=measure == "success"),
        key="response",
        config=QUIET,
        alt=alt,
    )
    st.caption(
        "The mean over pictures and over all other settings of the grid; the band holds the middle half of them."
    )


def show_front(table: pd.DataFrame, choice: Choice) -> None:
    """Every setting by pixels and success, and by pixels and confidence; a click opens it."""
    settings = described(table, choice)
    opened = [_setting(row, choice) for row in settings]
    for column, measure in zip(st.columns(2), ("success", "confidence"), strict=True):
        front = [row["text"] for row in settings if row[f"front_{measure}"]]
        alt = f"{len(settings)} settings; on the front of pixels and {MEASURES[measure]}: {'; '.join(front)}."
        with column:
            _clickable(pareto(settings, measure, MEASURES[measure]), f"front_{measure}", alt, opened, choice)


def show_parallel(table: pd.DataFrame, choice: Choice) -> None:
    """Every setting as one line across the knobs and what came of it."""
    named = _naming(choice)
    titles = {name: named(name) for name in choice.values} | SHORT
    figure = parallel(described(table, choice), titles)
    st.plotly_chart(
        figure, key="parallel", config=QUIET, alt=f"Parallel coordinates over {', '.join(titles.values())}."
    )
    st.caption("Drag along an axis to keep only the settings that pass there; click the axis to let go.")


def described(table: pd.DataFrame, choice: Choice) -> list[dict[str, Any]]:
    """The means of each setting, with a name, an index and whether it is on each front."""
    summary, named = means(table, [*choice.values]), _naming(choice)
    for key in ("success", "confidence"):
        summary[f"front_{key}"] = pareto_front(summary, "pixels", key)
    rows = summary.to_dict("records")
    for index, row in enumerate(rows):
        row["index"] = index
        row["text"] = ", ".join(f"{named(name)} {short(row[name])}" for name in choice.values)
    return rows


def _naming(choice: Choice) -> Callable[[str], str]:
    """What the knobs of the grid's attack are called."""
    return partial(symbol, attack=choice.base)


def _setting(line: Mapping[str, Any], choice: Choice) -> Attack:
    """The setting of one line of the means."""
    values = {name: type(of[0])(line[name]) for name, of in choice.values.items()}
    return dataclasses.replace(choice.base, **values)


def _clickable(figure: Any, key: str, alt: str, settings: Sequence[Attack], choice: Choice) -> None:
    """Show a figure whose points' customdata is [place in `settings`]: a click opens that setting in Explore."""

    def pick() -> None:
        points = [point for point in st.session_state[key].selection.points if point.get("customdata")]
        if points:
            picture = st.session_state.get("shown") or choice.pictures[0].name
            go_to(settings[int(points[0]["customdata"][0])], choice.networks[0], picture)

    st.plotly_chart(figure, key=key, on_select=pick, selection_mode="points", config=QUIET, alt=alt)


def _pictures(rows: Sequence[dict], by: list[str], shown: Sample) -> dict[tuple, str]:
    """The result on one picture by setting, as data URLs, crisp when enlarged."""
    found = {}
    for row in rows:
        adversarial = unpack(shown.image, row["changes"]) if row["picture"] == shown.name else None
        if adversarial is not None:
            png = to_png(enlarge(adversarial, 2))
            found[tuple(row[name] for name in by)] = "data:image/png;base64," + base64.b64encode(png).decode()
    return found
