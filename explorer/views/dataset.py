"""The Data set page: what holds for many pictures, not just for this one?"""

import streamlit as st

from explorer.studies.dataset import to_frame
from explorer.ui.dataset.choices import choose
from explorer.ui.dataset.gallery import shelf_of
from explorer.ui.dataset.measured import show_measured
from explorer.ui.dataset.show import offer, show
from explorer.ui.dataset.work import Work, run_of
from explorer.ui.grid import leave
from explorer.ui.guide import dataset_guide
from explorer.ui.link import tell_unmet
from explorer.ui.long_runs import LongRun, control
from explorer.ui.markdown import plain


def page() -> None:
    leave()
    st.title("What holds for many pictures?", anchor=False)
    st.caption(
        "One attack on every picture of a data set, and a label for every pixel that it changes. Only pictures that a "
        "network sees correctly are attacked."
    )
    notes = st.container(key="notes")
    try:
        study(run_of(choose()))
    except (ValueError, RuntimeError) as error:  # a choice that is none, or weights that cannot be read
        st.error(plain(error))
    with notes:
        tell_unmet()
    dataset_guide()


def study(run: LongRun) -> None:
    """Run it, look at it, take it away."""
    work: Work = run.of
    if work.begun and work.study is None and not run.active:
        with st.spinner("Reading the pictures …"):  # a link to what was done before, or they were let go
            work.prepared()
    known = work.study
    done, left = (known.done, known.left) if known else (0, 1)
    n = work.choice.n * len(work.choice.networks)
    control(
        run,
        f"Attack {n:,} picture{'s' * (n != 1)}" if left else "",
        "Go on" if done and left else None,
        work.told(),
        key="dataset",
    )
    rows = known.rows() if known else []
    if rows:
        table = to_frame(rows)
        show(table, work.prepared().gathered, shelf_of(work))
        offer(work, table)
    else:
        show_measured()


page()
