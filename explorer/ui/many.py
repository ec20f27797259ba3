"""Attack all: every picture that a visitor has uploaded, with the settings of the page, as one job."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.classifiers import Classifier
from explorer.images import RESIZES
from explorer.jobs import EXPECTED, Job, queue_for
from explorer.limits import limits
from explorer.pipeline import Collection, archive, summary
from explorer.types import Step
from explorer.ui.caches import Question
from explorer.ui.link import linked
from explorer.ui.long_runs import LOOK, LongRun
from explorer.ui.markdown import plain
from explorer.ui.own_pictures import uploaded
from explorer.ui.run_files import key_of
from explorer.ui.runs import progress_of
from explorer.ui.session import session

ROW, HEIGHT = 35, 318  # of the table, in CSS pixels: one row, and the whole at most
STATE = "attack_all"  # the visitor's last such run: it belongs to the visit, as the pictures do
SHOWN = ("file", "before", "after", "fooled", "pixels", "obscuring", "leading", "weak", "trust", "seconds", "problem")


def attack_all(question: Question, clf: Classifier) -> None:
    """Offer it where there are several pictures; then progress and Stop, the table, and all files as an archive."""
    pictures = [picture for picture in uploaded() if not picture.problem]
    if len(pictures) < 2:
        st.session_state.pop(STATE, None)
        return
    resize = linked("resize", RESIZES, "") or None
    region = None if question.region is None else question.region.text
    asked = [question.network, type(question.attack).__name__, question.attack, question.target, question.method]
    asked += [question.stage, region, resize, question.device, [picture.name for picture in pictures]]
    key = key_of(session().owner, *asked)
    run: LongRun | None = st.session_state.get(STATE)

    def start() -> None:
        if run is not None and run.key == key:
            run.start(session().owner)
            return
        out = Path(tempfile.mkdtemp(prefix="sparse-attack-explorer-"))
        collection = Collection(
            [picture.one_of_many(resize) for picture in uploaded()],
            clf,
            question.attack,
            out,
            target=question.target,
            region=lambda _: question.region,
            method=question.method,
            stage=question.stage,
        )
        weakref.finalize(collection, shutil.rmtree, out, ignore_errors=True)
        new = LongRun(
            key,
            question.device,
            lambda job: _advance(job, collection),
            collection,
            kind="all",
            network=question.network,
            deadline=limits().all_seconds,
        )
        st.session_state[STATE] = new
        new.start(session().owner)

    if run is not None and run.active:
        st.fragment(_watch, run_every=LOOK)(run)
    else:
        _offer(run, key, len(pictures), start)
    if run is not None and run.of.rows:
        _show(run.of, of_these=run.key == key)


def _offer(run: LongRun | None, key: str, n: int, start: Callable[[], None]) -> None:
    with st.container(key="attack-all", horizontal=True, vertical_alignment="center"):
        if run is not None and run.job is not None and run.job.error is not None:
            st.error(plain(run.job.error) if isinstance(run.job.error, EXPECTED) else "It broke off: see the log.")
        same = run is not None and run.key == key
        if same and run.of.finished:
            st.caption(summary(run.of.rows))
            return
        st.button("Go on" if same and run.of.rows else f"Attack all {n}", type="primary", on_click=start)
        st.caption(
            "Each picture with the settings below, from the class that the network sees in it. It can be stopped, and "
            "what is done is kept."
        )


def _advance(job: Job, collection: Collection) -> bool:
    """Attack the next picture; whether there is another."""
    done, total, file = len(collection.rows), len(collection.pictures), plain(collection.next_file)

    def on_step(step: Step) -> bool:
        share = min(1.0, step.done / max(1, step.total))
        job.report(done + share, total, f"Picture {done + 1} of {total}: {file}")
        return job.should_stop

    collection.advance(on_step)
    return not collection.finished


def _watch(run: LongRun) -> None:
    if not run.active:
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center", key="attack-all"):
        st.progress(*progress_of(run.job, queue_for(run.device)))
        st.button("Stop", on_click=run.job.cancel, key="stop-all")


def _show(collection: Collection, of_these: bool) -> None:
    rows = [*collection.rows]
    with st.expander(f"All together: {len(rows)} of {len(collection.pictures)} pictures are done", expanded=True):
        if not of_these:
            st.caption("With the settings, and of the pictures, that were there when it was started.")
        shown = [name for name in SHOWN if name != "problem" or any(row[name] for row in rows)]
        st.dataframe(
            [{name: row[name] if row[name] != "" else None for name in shown} for row in rows],
            key="attack-all-table",
            hide_index=True,
            height=min(HEIGHT, ROW * (len(rows) + 1) + 3),
            column_config={"seconds": st.column_config.NumberColumn(format="%.1f")},
            alt="One row per picture: what the network saw before and after, the changed pixels, how far their labels "
            "can be trusted.",
        )
        st.download_button(
            "Table and all files (ZIP)",
            lambda: archive(collection.out, rows),
            "attacked.zip",
            "application/zip",
            on_click="ignore",
            key="download-attacked.zip",
        )
