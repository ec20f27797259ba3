"""Find the best for me: an Optuna study as long work, its plots, and the setting that it recommends."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.figures import front, history, importance
from explorer.figures.scales import short
from explorer.jobs import Job
from explorer.pipeline import percent
from explorer.studies.tuning import (
    Check,
    Recommendation,
    Stopped,
    Task,
    check,
    checked,
    completed,
    open_study,
    recommend,
    tunable,
    usual,
)
from explorer.studies.tuning import work as do_trials
from explorer.types import Sample, Step
from explorer.ui.attacks import name_of, prefix_of
from explorer.ui.caches import classifier, content_of
from explorer.ui.evidence import QUIET
from explorer.ui.grid import go_to, symbol
from explorer.ui.link import bound, linked_number, whole
from explorer.ui.long_runs import LongRun, control, long_runs
from explorer.ui.markdown import plain
from explorer.ui.networks import card_of
from explorer.ui.run_files import file_for, key_of
from explorer.ui.runs import in_batches
from explorer.ui.subjects import labelled_pictures

TRIALS = (10, 200, 30)  # least, most, default


class Search:
    """A study with the pictures it is measured on, and as many others to check on. Its database is made by the first
    trial: who only looks makes none.
    """

    def __init__(self, path: Path, name: str, task: Task, unseen: Task, trials: int) -> None:
        self.task, self.unseen, self.trials = task, unseen, trials
        self._path, self._name = path, name
        self._study: optuna.Study | None = None

    @property
    def study(self) -> optuna.Study | None:
        """None before the first trial."""
        return self._open() if self._path.exists() else None

    @property
    def done(self) -> int:
        """Trials so far; somebody who asked for more of them may have done more than these `trials`."""
        return len(completed(self.study, self.task)) if self.study else 0

    @property
    def best(self) -> Recommendation | None:
        """None before a trial has ended."""
        return recommend(self.study, self.task) if self.study else None

    def checked(self, best: Recommendation | None) -> Check | None:
        """What the check of a recommendation found; None before."""
        return checked(self.study, best, self.unseen) if best else None

    def advance(self, job: Job) -> bool:
        """One trial more, or, after the last, the check; whether there is more to do."""
        study = self._open()
        done = self.done

        def on_step(step: Step) -> bool:
            text = (
                f"Trial {done + 1} of {self.trials}"
                if done < self.trials
                else "Checking on pictures that were not used"
            )
            job.report(min(done, self.trials) + step.done / max(1, step.total), self.trials + 1, text)
            return job.should_stop

        if done < self.trials:
            return do_trials(study, self.task, done + 1, on_step=on_step)
        best = self.best
        if self.checked(best) is None:
            with suppress(Stopped):
                check(study, best, self.unseen, on_step)
        return False

    def _open(self) -> optuna.Study:
        if self._study is None or not self._path.exists():  # another server may have made room
            self._study = open_study(f"sqlite:///{self._path}", self._name, self.task)
        return self._study


def search_of(network: str, pictures: Sequence[Sample], base: Attack, over: tuple[str, ...], trials: int) -> LongRun:
    """The search that this choice means, the same one for everybody who makes it. Those that differ in the number of
    trials alone share a study: each goes as far as was asked of it.
    """
    clf = classifier(network)
    tuned, others = split(pictures, labelled_pictures([network]))
    task, unseen = (Task(clf, *_tensors(some, clf.device), base, over) for some in (tuned, others))
    study = key_of("study", task.fingerprint)
    key = key_of("search", study, unseen.fingerprint, trials)

    def make() -> LongRun:
        path = file_for(study, ".db")
        search = Search(path, network, task, unseen, trials)
        return LongRun(key, str(clf.device), search.advance, search, kind="search", network=content_of(clf), path=path)

    return long_runs().get(key, make)


def show_search(networks: Sequence[str], pictures: Sequence[Sample], base: Attack) -> None:
    """The whole tool: what is tuned, the run, the recommendation, the plots."""
    labels, key = _labels(base), f"{prefix_of(name_of(base))}over"
    bound(key, labels.values())
    linked_number("trials", "Trials", whole(*TRIALS[:2]), TRIALS[2])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        over = st.multiselect(
            "Settings to tune",
            list(labels),
            list(usual(base)),
            format_func=labels.get,
            key=key,
            bind="query-params",
            width=620,
        )
        trials = st.slider("Trials", *TRIALS, key="trials", bind="query-params", width=260)
    if not over:
        st.info("Choose at least one setting to tune.")
        return
    network = networks[0]
    title = plain(card_of(network).title)
    if len(networks) > 1:
        st.caption(f"A search is for one network, as each has a best setting of its own: this one is for **{title}**.")
    run = search_of(network, pictures, base, tuple(over), trials)
    search: Search = run.of
    done, best = search.done, search.best
    found = search.checked(best)
    told = (
        f"{done} of {trials} trials" if done <= trials else f"{done} trials, as somebody asked for more than {trials}"
    )
    more = done < trials or found is None
    control(
        run,
        "Search" if more else "",
        "Go on" if done and more else None,
        f"{told}, each on {len(search.task.images)} pictures with {title}.",
    )
    if best is None:
        takes = in_batches(trials * len(search.task.images), base, [classifier(network)])
        st.caption(
            f"A trial attacks the pictures with one setting; the next setting is chosen from what came of it. {takes}"
        )
        return
    _recommendation(best, found, search, network)
    _plots(search, labels)


def _recommendation(best: Recommendation, found: Check | None, search: Search, network: str) -> None:
    st.markdown("##### Recommended")
    attack = best.attack
    told = ", ".join(f"{symbol(name, attack)} **{short(getattr(attack, name))}**" for name in search.task.over)
    n = len(search.task.images)
    st.markdown(
        f"{told}: {best.outcome.pixels:.2f} pixels on average, on the {n} pictures of the search. {best.reason}"
    )
    if found is not None:
        difference = found.difference
        words = {"fewer": "fewer pixels", "more": "more pixels"}.get(difference.verdict, difference.verdict)
        interval = ", 95 % interval" * bool(difference.pictures)
        st.markdown(
            f"On {len(search.unseen.images)} other pictures, against the setting that the search started from: "
            f"**{words}** ({difference}{interval}). Of these others, {percent(found.recommended.success)} are "
            f"fooled, and {percent(found.start.success)} by that setting."
        )
    else:
        st.caption("It is checked on pictures that were not used once all trials are done.")
    picture = labelled_pictures([network])[0].name
    st.button("Open in Explore", on_click=go_to, args=[best.attack, network, picture])


def _labels(attack: Attack) -> dict[str, str]:
    """What the settings that can be tuned are called."""
    return {name: knob.label for name, knob in tunable(attack).items()}


def _plots(search: Search, labels: Mapping[str, str]) -> None:
    if search.done < 2:
        return
    study = search.study
    figures: list[tuple[str, Any, str]] = [
        (
            "Which setting matters for the pixels?",
            importance(study, 0, "pixels", labels),
            "Importance of each setting.",
        ),
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


def split(chosen: Sequence[Sample], known: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The pictures to tune on, and as many others of those that are known, as far as there are so many, to check on.

    Raises ValueError with one sentence if there is no other.
    """
    names = {sample.name for sample in chosen}
    others = [sample for sample in known if sample.name not in names]
    if not others:
        raise ValueError(
            f"A search checks its result on pictures that it has not seen: choose {len(known) - 1} at most, not all "
            f"{len(known)}."
        )
    return chosen, others[: len(chosen)]


def _tensors(samples: Sequence[Sample], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.stack([sample.image for sample in samples]).to(device)
    return images, torch.tensor([sample.label for sample in samples], device=device)
