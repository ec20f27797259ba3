"""Find the best for me: an Optuna study as long work, its plots, and the setting that it recommends."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import optuna
import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.classifiers import CLASSIFIERS
from explorer.figures import front, history, importance
from explorer.figures.scales import short
from explorer.jobs import Job
from explorer.tuning import Difference, Recommendation, Task, completed, measure, open_study, recommend, tunable, usual
from explorer.tuning import work as do_trials
from explorer.types import Sample, Step
from explorer.ui.attacks import name_of, prefix_of
from explorer.ui.caches import classifier
from explorer.ui.evidence import QUIET
from explorer.ui.grid import go_to, symbol
from explorer.ui.long_runs import LongRun, control, file_for, key_of, long_runs
from explorer.ui.subjects import labelled_pictures

TRIALS = (10, 200, 30)  # least, most, default
PICTURES = 8  # that a study is measured on; the check takes as many others


class Search:
    """A study, its pictures, the pictures to check on, and what the check found."""

    def __init__(self, url: str, name: str, task: Task, unseen: Task, trials: int) -> None:
        self.task, self.unseen, self.trials = task, unseen, trials
        self.study = open_study(url, name, task)
        self.checked: tuple[Attack, Difference, float, float] | None = None

    @property
    def done(self) -> int:
        return len(completed(self.study))

    def advance(self, job: Job) -> bool:
        """One trial more, or, after the last, the check; whether there is more to do."""
        done = self.done

        def on_step(step: Step) -> bool:
            text = (
                f"Trial {done + 1} of {self.trials}"
                if done < self.trials
                else "Checking on pictures that were not used"
            )
            job.report(done + step.done / max(1, step.total), self.trials + 1, text)
            return job.should_stop

        if done < self.trials:
            return do_trials(self.study, self.task, done + 1, on_step=on_step)
        best = recommend(self.study, self.task).attack
        found, before = measure(self.unseen, best, on_step), measure(self.unseen, self.unseen.base, on_step)
        self.checked = best, Difference.between(found.n_pixels, before.n_pixels), found.success, before.success
        return False


def search_of(network: str, base: Attack, over: tuple[str, ...], trials: int) -> LongRun:
    """The study that this choice means, the same one for everybody who makes it."""
    key = key_of("study", network, base, over)

    def make() -> LongRun:
        clf = classifier(network)
        url = f"sqlite:///{file_for(key, '.db')}"
        tasks = [Task(clf, *_tensors(some, clf.device), base, over) for some in _split(network)]
        search = Search(url, network, *tasks, trials)
        return LongRun(key, str(clf.device), search.advance, search)

    run = long_runs().get(key, make)
    run.of.trials = trials
    return run


def show_search(network: str, base: Attack) -> None:
    """The whole tool: what is tuned, the run, the recommendation, the plots."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        over = st.multiselect(
            "Settings to tune",
            list(tunable(base)),
            list(usual(base)),
            key=f"{prefix_of(name_of(base))}over",
            bind="query-params",
            width=620,
        )
        trials = st.slider("Trials", *TRIALS, key="trials", bind="query-params", width=260)
    if not over:
        st.info("Choose at least one setting to tune.")
        return
    start = dataclasses.replace(base, prune=True, polish=True)
    run = search_of(network, start, tuple(over), trials)
    search: Search = run.of
    done = search.done
    left = max(0, trials - done)
    rest = f"{done} of {trials} trials, each on {len(search.task.images)} pictures with {CLASSIFIERS[network].title}."
    more = left or search.checked is None
    control(run, "Search" if more else "", "Go on" if done and more else None, rest)
    best = recommend(search.study, search.task)
    if best is None:
        st.caption("A trial attacks the pictures with one setting; the next setting is chosen from what came of it.")
        return
    _recommendation(best, search, network)
    _plots(search.study)


def _recommendation(best: Recommendation, search: Search, network: str) -> None:
    st.markdown("##### Recommended")
    attack = best.attack
    told = ", ".join(f"{symbol(name, attack)} **{short(getattr(attack, name))}**" for name in search.task.over)
    st.markdown(f"{told}: {best.outcome.pixels:.2f} pixels, {best.outcome.success:.0%} fooled. {best.reason}")
    if search.checked is not None and search.checked[0] == best.attack:
        _, difference, found, before = search.checked
        words = {"fewer": "fewer pixels", "more": "more pixels"}.get(difference.verdict, difference.verdict)
        st.markdown(
            f"On {len(search.unseen.images)} other pictures, against the setting that the search started from: "
            f"**{words}** ({difference}, 95 % interval); {found:.0%} against {before:.0%} fooled."
        )
    else:
        st.caption("It is checked on pictures that were not used once all trials are done.")
    picture = labelled_pictures([network])[0].name
    st.button("Open in Explore", on_click=go_to, args=[best.attack, network, picture])


def _plots(study: optuna.Study) -> None:
    if len(completed(study)) < 2:
        return
    figures: list[tuple[str, Any, str]] = [
        ("Which setting matters for the pixels?", importance(study, 0, "pixels"), "Importance of each setting."),
        ("Pixels and time, trial by trial", front(study, (0, "changed pixels"), (2, "seconds per picture")), "Trials."),
        ("How the search went", history(study, 0, "changed pixels"), "Pixels of each trial, in their order."),
    ]
    for number, (column, (title, figure, alt)) in enumerate(zip(st.columns(3), figures, strict=True)):
        with column:
            st.markdown(f"##### {title}")
            if figure is None:
                st.caption("That can be told after some more trials.")
            else:
                st.plotly_chart(figure, key=f"study_{number}", config=QUIET, alt=alt)


def _split(network: str) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Pictures to tune on and other pictures, as far as possible of other classes, to check on."""
    pictures = labelled_pictures([network])
    n = min(PICTURES, len(pictures) // 2)
    if not n:
        raise ValueError("A search needs two pictures at least that the network classifies correctly.")
    return pictures[:n], pictures[n : 2 * n]


def _tensors(samples: Sequence[Sample], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.stack([sample.image for sample in samples]).to(device)
    return images, torch.tensor([sample.label for sample in samples], device=device)
