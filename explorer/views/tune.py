"""The Tune page: what the settings do, from a whole grid at once, and which setting is best."""

import streamlit as st

from explorer.attacks import ATTACKS
from explorer.figures.scales import short
from explorer.numerics import percent
from explorer.studies import Study, best_setting, means, to_table
from explorer.ui.attacks import PARAMETER, about, choose_attack
from explorer.ui.grid import Choice, choice, choose_base, choose_subjects, choose_values, leave, question, symbol
from explorer.ui.guide import tuning_guide
from explorer.ui.link import bound, restore, tell_unmet
from explorer.ui.long_runs import control
from explorer.ui.markdown import plain
from explorer.ui.search import show_search
from explorer.ui.studies import (
    MEASURES,
    PICTURES,
    in_batches_of,
    show_front,
    show_map,
    show_parallel,
    show_response,
    study_of,
    told,
)

PARTS = ("Try a grid", "Find the best for me")
VIEWS = ("Map", "Pictures", "Curves", "Pareto front", "Parallel", "Table")


def page() -> None:
    leave()
    if "part" not in st.session_state:  # nothing of this page is there: the visitor comes, or comes back
        restore([PARAMETER])
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        title = st.container(width="content")
        with st.container(key="choices", horizontal=True, width="content"):
            attack = choose_attack(width=220)
            bound("part", PARTS)
            part = st.segmented_control("Part", PARTS, default=PARTS[0], required=True, key="part", bind="query-params")
        title.title(question(ATTACKS[attack]), anchor=False)
    st.caption(about(attack))
    notes = st.container(key="notes")
    choices, found = st.columns((1, 2), gap="large") if part == PARTS[0] else (st.container(), st.container())
    try:
        with choices:
            networks, pictures = choose_subjects()
            values = choose_values(attack) if part == PARTS[0] else {}
            base = choose_base(attack, *(("refined", False, 1) if part == PARTS[0] else ("search_refined", True)))
        with found:
            if part == PARTS[0]:
                try_grid(choice(networks, pictures, base, values))
            elif networks:
                show_search(networks, pictures, base)
            else:
                st.info("Choose a network.")
    except (ValueError, RuntimeError) as error:  # bad values, or weights that cannot be read: one sentence each
        st.error(plain(error))
    with notes:
        tell_unmet()
    tuning_guide()


def try_grid(chosen: Choice) -> None:
    """Run it, look at it, take it away."""
    run = study_of(chosen)
    study: Study = run.of
    control(
        run,
        f"Run {study.left:,} runs" if study.left else "",
        "Go on" if study.done and study.left else None,
        told(study, in_batches_of(study, chosen)),
    )
    rows = study.rows()
    if not rows:
        return
    table = to_table(rows)
    bound("view", VIEWS)
    with st.container(horizontal=True):
        view = st.segmented_control(
            "Show", VIEWS, default=VIEWS[0], required=True, key="view", wrap=True, bind="query-params"
        )
        measure = choose_measure() if view in ("Map", "Curves") else "pixels"
    if measure == "seconds" and table["seconds"].isna().all():
        st.info("These runs came with the app: they say nothing of this computer's time. Change a value and run it.")
        return
    if view == "Map":
        show_map(table, rows, chosen, measure, None)
    elif view == "Pictures":
        names = [sample.name for sample in chosen.pictures]
        bound("shown", names)
        name = st.selectbox("Picture", names, key="shown", bind="query-params")
        sample = next(each for each in chosen.pictures if each.name == name)
        if chosen.n_settings > PICTURES:
            st.info(f"Cells show pictures where there are at most {PICTURES}; this grid has {chosen.n_settings:,}.")
        else:
            show_map(table, rows, chosen, "pixels", sample)
    elif view == "Curves":
        show_response(table, chosen, measure)
    elif view == "Pareto front":
        show_front(table, chosen)
    elif view == "Parallel":
        show_parallel(table, chosen)
    else:
        st.dataframe(table, hide_index=True, alt="One line per run, with all settings, counts and versions.")
    summary(table, chosen)
    with st.container(horizontal=True):
        st.download_button("Table (CSV)", lambda: table.to_csv(index=False), "sweep.csv", "text/csv", on_click="ignore")
        st.download_button("Table (Parquet)", lambda: table.to_parquet(index=False), "sweep.parquet", on_click="ignore")


def choose_measure() -> str:
    """What the colour of a cell, or the height of a curve, means."""
    bound("measure", MEASURES.values())
    return st.segmented_control(
        "What",
        list(MEASURES),
        default="pixels",
        required=True,
        format_func=MEASURES.get,
        key="measure",
        wrap=True,
        bind="query-params",
    )


def summary(table, chosen: Choice) -> None:
    """The best setting of the grid, in one sentence."""
    best = best_setting(means(table, [*chosen.values]))
    if best is None:
        st.info("No setting of this grid has fooled the network yet.")
        return
    setting = ", ".join(f"{symbol(name, chosen.base)} {short(best[name])}" for name in chosen.values)
    st.markdown(
        f"Fewest pixels among the settings that fool most: **{setting}** with {best['pixels']:.1f} on average, "
        f"{percent(best['success'])} fooled."
    )


page()
