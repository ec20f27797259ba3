"""Attacks on bundled signs that a whole class asks for: what many ask at once is run once."""

import streamlit as st

from explorer.attacks import SparseAttack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.images import fit
from explorer.jobs import Job, JobQueue, queue_for
from explorer.pipeline import Exploration, picture_sha256
from explorer.samples import find_sample
from explorer.ui.caches import Question, answers, content_of
from explorer.ui.explorations import part_of
from explorer.ui.markdown import plain
from explorer.ui.presence import presence
from explorer.ui.runs import at_once, expected_seconds, looks, progress_of
from explorer.ui.session import session

USUAL = SparseAttack()
JOBS = "class_jobs"  # of this visit, by the question that they answer


def explored(clf: Classifier, sign: str, attack: SparseAttack = USUAL) -> Exploration | None:
    """The attack on a bundled sign, for which this waits. None, and a sentence, where it fails."""
    found = asked(clf, sign, attack)
    if isinstance(found, Exploration):
        return found
    _wait(found, queue_for(str(clf.device)))
    if found.error is not None:
        st.error(plain(found.error))
    return found.result


def asked(clf: Classifier, sign: str, attack: SparseAttack = USUAL) -> Exploration | Job:
    """The same without waiting: what was found, or the job that looks for it."""
    sample = find_sample(sign)
    image = fit(sample.image, tuple(clf.input_size))  # one's own network may see another size
    question = Question(
        picture=picture_sha256(image),
        network=content_of(clf),
        attack=attack,
        target=None,
        method=DEFAULT_METHOD,
        stage=None,
        image=image,
        label=sample.label,
        device=str(clf.device),
    )
    found = answers().find(question)
    if found is not None:
        return found
    jobs: dict[Question, Job] = {each: job for each, job in st.session_state.get(JOBS, {}).items() if not job.ended}
    st.session_state[JOBS] = jobs
    if question not in jobs:
        owner, expected = (session().owner, repr(question)), expected_seconds(attack, clf)
        part = part_of(question, clf)
        about = {"kind": "attack", "network": question.network}
        jobs[question] = queue_for(question.device).submit(part, owner, expected=expected, wanted=presence(), **about)
    return jobs[question]


def _wait(job: Job, queue: JobQueue) -> None:
    """Show its progress."""
    if at_once(job):
        return
    bar = st.empty()
    for _ in looks(job, queue):
        bar.progress(*progress_of(job, queue))
    bar.empty()
