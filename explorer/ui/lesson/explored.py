"""Attacks on bundled signs that a whole class asks for: each is run once, and everybody waits for the same job."""

import threading
from collections.abc import Callable

import streamlit as st

from explorer.attacks import SparseAttack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.jobs import Job, JobQueue, QueueFull, queue_for
from explorer.pipeline import Exploration, explore, picture_sha256
from explorer.samples import find_sample
from explorer.types import Step
from explorer.ui.caches import Question, answers, content_of, on_cpu
from explorer.ui.markdown import plain
from explorer.ui.runs import LOOK, progress_of

USUAL = SparseAttack()


class CommonJobs:
    """The jobs that are under way, by the question that they answer."""

    def __init__(self) -> None:
        self._jobs: dict[Question, Job] = {}
        self._guard = threading.Lock()

    def get(self, question: Question, submit: Callable[[], Job]) -> Job:
        """The one that is under way, or a new one."""
        with self._guard:
            self._jobs = {asked: job for asked, job in self._jobs.items() if not job.ended}
            if question not in self._jobs:
                self._jobs[question] = submit()
            return self._jobs[question]


@st.cache_resource(show_spinner=False)
def common_jobs() -> CommonJobs:
    """The ones of this server."""
    return CommonJobs()


def explored(clf: Classifier, sign: str, attack: SparseAttack = USUAL) -> Exploration | None:
    """The attack on a bundled sign, for which this waits. None, and a sentence, where it cannot be run now."""
    try:
        found = asked(clf, sign, attack)
    except QueueFull as error:
        st.warning(plain(error))
        st.button("Try again", key=f"again-{sign}")
        return None
    if isinstance(found, Exploration):
        return found
    _wait(found, queue_for(str(clf.device)))
    if found.error is not None:
        st.error(plain(found.error))
    return found.result


def asked(clf: Classifier, sign: str, attack: SparseAttack = USUAL) -> Exploration | Job:
    """The same without waiting: what was found, or the job that looks for it. Raises QueueFull."""
    sample = find_sample(sign)
    question = Question(
        picture=picture_sha256(sample.image),
        network=content_of(clf),
        attack=attack,
        target=None,
        method=DEFAULT_METHOD,
        stage=None,
        image=sample.image,
        label=sample.label,
        device=str(clf.device),
    )
    found = answers().find(question)
    if found is not None:
        return found
    queue = queue_for(question.device)
    return common_jobs().get(question, lambda: queue.submit(_work(question, clf), ("class", question)))


def _work(question: Question, clf: Classifier) -> Callable[[Job], Exploration]:
    def work(job: Job) -> Exploration:
        def on_step(step: Step) -> bool:
            job.report(step.done, step.total, f"The attack is running: step {step.done:,} of {step.total:,}")
            return job.should_stop

        found = explore(clf, question.image, question.attack, label=question.label, on_step=on_step, splits=0)
        exploration = on_cpu(found)
        if not exploration.result.stopped:
            answers().keep(question, exploration)
        return exploration

    return work


def _wait(job: Job, queue: JobQueue) -> None:
    """Show its progress. There is no Stop: others wait for it as well."""
    if job.wait(LOOK):
        return
    bar = st.empty()
    while not job.wait(LOOK):
        bar.progress(*progress_of(job, queue))
    bar.empty()
