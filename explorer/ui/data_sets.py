"""A data set's pictures, where they are not here yet: downloaded on a click, with progress and Stop."""

import streamlit as st

from explorer.jobs import Job
from explorer.samples import DataSet
from explorer.ui.long_runs import LongRun, control, long_runs
from explorer.ui.markdown import plain

QUEUE = "downloads"  # one after the other, beside the devices' work
PATIENCE = 4 * 3600.0  # seconds: a slow line is slow


def offer_pictures(of: DataSet) -> None:
    """Say where the pictures would go and what they weigh, and offer to fetch them, where that is possible."""
    what = f"{of.whole[0].upper()}{of.whole[1:]} is not on the computer that runs this app."
    if not of.megabytes:
        st.info(plain(what))
        return
    folder = of.folder()
    key = f"{of.name}-{folder}"

    def advance(job: Job) -> bool:
        def on_bytes(done: int, total: int) -> None:
            job.report(done, total or of.megabytes * 10**6, f"{of.title}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

        of.download(on_bytes, lambda: job.should_stop, folder)
        return False

    run = long_runs().get(key, lambda: LongRun(key, QUEUE, advance, folder, kind="download", deadline=PATIENCE))
    control(
        run,
        f"Download {of.megabytes} MB",
        None,
        f"{what} It would go to {plain(folder)}; pictures that are there, one folder per class, can be named in "
        f"{of.variable}. Until then another picture is shown.",
        key=f"{of.name}-download",
    )
