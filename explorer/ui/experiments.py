"""The experiments that were measured: their curves and tables, from the files that come with the project."""

from pathlib import Path

import pandas as pd
import streamlit as st

from explorer.figures import Curve, constant, pareto, response
from explorer.figures.scales import short
from explorer.folders import ASSETS
from explorer.studies import EXPERIMENTS, pareto_front
from explorer.studies.experiments import Experiment
from explorer.ui.evidence import QUIET
from explorer.ui.markdown import plain
from explorer.ui.measuring import measured_here

FOLDER = ASSETS / "experiments"
SUBJECTS = {"signs-resnet": "Road signs: ResNet", "cifar10-resnet20": "CIFAR-10: ResNet-20"}
SETTING_NAMES = {"lam": "λ", "a": "a", "surrogate": "surrogate", "schedule": "schedule", "max_change": "largest change"}


def show_experiment(name: str) -> None:
    """Question, answer, one panel per measure with a curve per network, and the tables."""
    experiment = EXPERIMENTS[name]
    st.markdown(f"**{experiment.question}** {experiment.finding}")
    tables = {title: pd.read_csv(file) for title, file in files(name).items()} | measured_here(experiment)
    if not tables:
        st.info("Nothing was measured for this one yet: the command below does it.")
        return
    curves = {key: _curves(experiment, tables, key) for key in experiment.columns}
    same = {key: value for key, some in curves.items() if (value := constant(some)) is not None}
    if same:
        st.markdown(
            " ".join(f"**{experiment.columns[key].capitalize()}**: {short(same[key])} everywhere." for key in same)
        )
    telling = [key for key in curves if key not in same]
    for row in (telling[first : first + 2] for first in range(0, len(telling), 2)):
        for column, key in zip(st.columns(len(row)), row, strict=True):  # one that is left over has the whole width
            title, share = experiment.columns[key], key in ("success", "settled")
            figure = response(curves[key], SETTING_NAMES[experiment.x], title, share=share, height=340)
            alt = f"{title} over {experiment.x}."
            column.plotly_chart(figure, key=f"{name}_{key}", config=QUIET, alt=alt)
    if experiment.lines is None:
        for title, table in tables.items():
            st.markdown(f"##### Pareto front: {plain(title)}")
            settings = _settings(experiment, table)
            measures = {"success": "fooled, share", "confidence": "confidence, mean"}
            measures = {key: name_of for key, name_of in measures.items() if table[key].nunique() > 1}
            for column, (measure, name_of) in zip(st.columns(max(1, len(measures))), measures.items(), strict=True):
                column.plotly_chart(
                    pareto(settings, measure, name_of),
                    key=f"{name}_front_{measure}_{title}",
                    config=QUIET,
                    alt=f"Pixels against {name_of} for {title}.",
                )
    for title, table in tables.items():
        st.markdown(f"##### {plain(title)}, {_pictures(int(table['runs'].iloc[0]))}")
        shown = table[[*experiment.by, *experiment.columns]].rename(columns=SETTING_NAMES | dict(experiment.columns))
        st.dataframe(shown.style.format(short), hide_index=True, alt=f"The numbers of the curves for {title}.")


def files(name: str) -> dict[str, Path]:
    """The measured tables of one experiment, by the network's title."""
    found = {title: FOLDER / f"{name}-{subject}.csv" for subject, title in SUBJECTS.items()}
    return {title: file for title, file in found.items() if file.exists()}


def _curves(experiment: Experiment, tables: dict[str, pd.DataFrame], key: str) -> list[Curve]:
    curves = []
    for title, table in tables.items():
        for line, some in table.groupby(experiment.lines, sort=True) if experiment.lines else [("", table)]:
            name = f"{title}, {line}" if line else title
            low, high = (some["q25"].tolist(), some["q75"].tolist()) if key == "pixels" else ((), ())
            curves.append(Curve(name, some[experiment.x].tolist(), some[key].tolist(), low, high))
    return curves


def _settings(experiment: Experiment, table: pd.DataFrame) -> list[dict]:
    rows = table.copy()
    for key in ("success", "confidence"):
        rows[f"front_{key}"] = pareto_front(rows, "pixels", key)
    names = [(name, SETTING_NAMES[name]) for name in experiment.by]
    return [
        {**row, "index": i, "text": ", ".join(f"{title} {short(row[name])}" for name, title in names)}
        for i, row in enumerate(rows.to_dict("records"))
    ]


def _pictures(n: int) -> str:
    return f"{n} picture{'s' * (n > 1)}"
