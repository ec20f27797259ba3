"""What a study found: its overview, flows, kinds and places, the table, and the files to take away."""

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from explorer.figures import class_flow, class_shares, fooled_curves, pixel_histogram, place_map, told
from explorer.studies.dataset import Gathered, findings, left_out_frame, to_csv
from explorer.studies.dataset.report import CURVE
from explorer.studies.dataset.wording import (
    class_rows,
    kind_intervals,
    map_sentence,
    overview_rows,
    place_rows,
    recurrence_sentence,
    sentence,
)
from explorer.ui.dataset.gallery import Shelf, show_gallery
from explorer.ui.dataset.work import Work
from explorer.ui.evidence import QUIET
from explorer.ui.link import bound
from explorer.ui.markdown import plain

UNKNOWN = "–"  # what nobody has measured
COLUMN = 260  # CSS pixels of a column of the overview
VIEWS = ("Overview", "Flow", "Kinds", "Places", "Pictures", "Table")


def show(table: pd.DataFrame, gathered: Sequence[Gathered], shelf: Shelf) -> None:
    """The view that is chosen. `gathered`: what the table was made of, as far as that is known."""
    for view in findings.overviews(table, gathered):
        st.markdown(plain(sentence(view)))
    bound("dataset_view", VIEWS)
    name = st.segmented_control(
        "Show", VIEWS, default=VIEWS[0], required=True, key="dataset_view", wrap=True, bind="query-params"
    )
    views: dict[str, Callable[[pd.DataFrame], None]] = {
        "Overview": partial(show_overview, gathered=gathered),
        "Flow": show_flow,
        "Kinds": show_kinds,
        "Places": show_places,
        "Pictures": partial(show_gallery, shelf=shelf),
        "Table": show_table,
    }
    views[name](table)
    left_out = left_out_frame([each for one in gathered for each in one.left_out])
    if len(left_out):
        with st.expander(f"Not attacked: {len(left_out)}"):
            st.dataframe(left_out, hide_index=True, alt="Pictures that are not attacked, and why.")


def show_overview(table: pd.DataFrame, gathered: Sequence[Gathered]) -> None:
    """Each network in numbers, how many pixels it took, and with how few."""
    counts = findings.pixel_counts(table)
    if any(counts.values()):
        _show_counts(table, counts)
    rows = overview_rows(findings.overviews(table, gathered))
    known = [row for row in rows if any(value != UNKNOWN for name, value in row.items() if name)]
    frame = pd.DataFrame(known).rename(columns={"": "measure"})
    width = COLUMN * len(frame.columns)  # Streamlit's own guess cuts cells off
    st.dataframe(frame, hide_index=True, alt="Each network in numbers.", height="content", width=width)
    st.caption("In brackets 95 % intervals. Pixels, entries and labels are those of the fooled pictures.")


def _show_counts(table: pd.DataFrame, counts: dict[str, list[int]]) -> None:
    columns = st.columns(2)
    most = min(CURVE, max(max(of) for of in counts.values() if of))
    curves = findings.fooled_within(table, most)
    ends = "; ".join(f"{name}: {told(shares[-1])}" for name, shares in curves.items())
    with columns[0]:
        st.markdown("##### How many pixels it took")
        st.plotly_chart(
            pixel_histogram(counts),
            key="dataset-histogram",
            config=QUIET,
            alt=f"Pictures by how many pixels it took, up to {most}.",
        )
    with columns[1]:
        st.markdown("##### Fooled with at most so many")
        st.plotly_chart(
            fooled_curves(curves),
            key="dataset-curves",
            config=QUIET,
            alt=f"Pictures fooled by at most 0 to {most} pixels. At {most}: {ends}.",
        )


def show_flow(table: pd.DataFrame) -> None:
    """From true class to wrong class."""
    network = choose_one(table)
    found = findings.flows(table, network)
    if not found:
        st.info("No picture is fooled yet.")
        return
    listed = "; ".join(f"{true} to {wrong}: {count}" for true, wrong, count in found[:12])
    st.caption("From the true class, on the left, to what the network sees after the attack. Width: pictures.")
    st.plotly_chart(class_flow(found, findings.OTHERS), key=f"dataset-flow-{network}", config=QUIET, alt=f"{listed}.")


def show_kinds(table: pd.DataFrame) -> None:
    """Obscuring or leading, by class and network."""
    rows, series = kind_intervals(table)
    st.caption(
        "The share of obscuring pixels among the changed ones of each picture that was fooled, with 95 % intervals by "
        f"resampling pictures; hollow marks have fewer than {findings.FEW} pictures, and no interval."
    )
    whole = "; ".join(f"{name}: {100 * of[0][0]:.0f} %" for name, of in series.items() if of[0][0] == of[0][0])
    st.plotly_chart(
        class_shares(rows, series), key="dataset-kinds", config=QUIET, alt=f"Obscuring pixels, all classes. {whole}."
    )
    with st.expander("The numbers"):
        st.dataframe(pd.DataFrame(class_rows(table)), hide_index=True, alt="One line per class and network.")


def show_places(table: pd.DataFrame) -> None:
    """Where changed pixels fall, and which recur."""
    network = choose_one(table)
    found = findings.places(table, network)
    if found is None:
        st.info("No picture is fooled yet.")
        return
    columns = st.columns(2, gap="large")
    with columns[0]:
        st.markdown("##### Where they fall")
        st.caption(f"By row and column, counted in cells of {found.side} × {found.side} pixels. {map_sentence(found)}")
        st.plotly_chart(
            place_map(found.counts, found.side, found.size),
            key=f"dataset-places-{network}",
            config=QUIET,
            alt=f"Where the changed pixels fall. {map_sentence(found)}",
        )
    with columns[1]:
        recurrence = findings.recurring(table, network)
        st.markdown("##### Which recur")
        st.caption(recurrence_sentence(recurrence))
        if recurrence.places:
            rows = pd.DataFrame(place_rows(recurrence.places))
            st.dataframe(rows, hide_index=True, alt="The pixels that changed in most pictures.", height="content")


def show_table(table: pd.DataFrame) -> None:
    """Every row."""
    st.dataframe(table, hide_index=True, alt="One line per picture and network, with all settings and versions.")
    st.caption(
        "In the column *change* is the whole change, `row,column#rrggbb` per pixel, and in *kinds* one letter for "
        "each: O obscuring, L leading, small where weak."
    )


def choose_one(table: pd.DataFrame) -> str:
    """One of the networks."""
    names = findings.networks_of(table)
    if len(names) == 1:
        return names[0]
    return st.segmented_control(
        "Network", names, default=names[0], required=True, key="dataset-of", format_func=plain, wrap=True
    )


def offer(work: Work, table: pd.DataFrame) -> None:
    """Table and report as files."""
    with st.container(horizontal=True, key="dataset-downloads"):
        st.download_button("Table (CSV)", lambda: to_csv(table), "dataset.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Table (Parquet)", lambda: table.to_parquet(index=False), "dataset.parquet", on_click="ignore"
        )
        st.download_button(
            "Report (HTML)",
            work.report,
            "report.html",
            "text/html",
            on_click="ignore",
            help="One file with all figures, tables, pictures, settings and versions. It opens without a network.",
        )
