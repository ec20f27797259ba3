"""Playback: the attack, step by step."""

import streamlit as st

from explorer.classifiers import Classifier
from explorer.figures import pixel_lives
from explorer.jobs import Job
from explorer.pipeline import Exploration, Film, record
from explorer.types import Step
from explorer.ui.evidence import QUIET
from explorer.ui.player import player
from explorer.ui.session import session
from explorer.ui.work import result_of


def playback(exploration: Exploration, clf: Classifier) -> None:
    """The player in an expander of its own; the attack runs again for it, and its steps are kept."""
    with st.expander("Watch the attack, step by step", key="playback", on_change="rerun") as expander:
        if not expander.open:
            return

        def work(job: Job, twin: Classifier) -> Film | None:
            def on_step(step: Step) -> bool:
                job.report(step.done, step.total, f"Step {step.done:,} of {step.total:,}, once more and kept")
                return job.should_stop

            film = record(twin, exploration, on_step)
            return None if job.should_stop else film

        film: Film | None = result_of("film", clf, work)
        if film is None:
            return
        player(film, key="player")
        if exploration.result.stopped:
            st.caption(
                "The run above was stopped early; the film shows it to its end, so it may end with other pixels."
            )
        lives = film.lives()
        labelled = exploration.evidence is not None and not exploration.result.stopped
        pixels, selected = (exploration.evidence.pixels, session().selected) if labelled else ((), ())
        st.markdown("###### When each pixel came and went")
        st.plotly_chart(
            pixel_lives(lives, film.clean.shape[1], [frame.stage for frame in film.frames], pixels, selected),
            key="lives",
            config=QUIET,
            alt=f"In which of the film's {len(film.frames)} frames each of {len(lives)} pixels was changed.",
        )
        st.caption(
            "The pixels that are left at the end, then those that stayed longest; selected ones are thick. Frame 0 "
            "is the clean picture; a thin line shows where each stage of the attack begins. Pruning and "
            "polishing put pixels back and swap them, after the steps of the optimised stage."
        )
        st.download_button("Film (GIF)", film.gif, "attack.gif", "image/gif", on_click="ignore", key="download-gif")
