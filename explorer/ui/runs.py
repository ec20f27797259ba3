"""Asking a question: answered from the store, or by a job on the network's device, with progress and Stop."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import streamlit as st

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.jobs import Job, JobQueue, queue_for
from explorer.limits import limits
from explorer.pipeline import Exploration
from explorer.ui.caches import Question, answers, seconds_per_step
from explorer.ui.clean import same_picture, show_clean
from explorer.ui.devices import device_title
from explorer.ui.explorations import part_of
from explorer.ui.markdown import plain
from explorer.ui.presence import presence
from explorer.ui.session import Session, session
from explorer.ui.turns import turns
from explorer.ui.words import between, waiting

PATIENCE = 2.0  # seconds: where the last run took longer, the next one waits for the button
UNASKED = 15.0  # seconds: a network's first run, whose time is only foretold, may take as long and begin by itself
PASSES_REFINING, PASSES_LABELLING = 100, 70  # forward and backward passes, about, as measured on the signs
FEWEST, MOST = 10, 800  # that refining took on SqueezeNet, where one pixel was enough and where seven were needed
IN_A_BATCH = 0.3, 1.5  # of its time alone, that a run of a batch takes
FORWARD = 1 / 3  # of these, about, is a forward pass alone
LOOK = 0.4  # seconds between two looks at a running job, whether somebody stops it
LOOK_IN_LINE = 1.0  # and at one that waits
CROWD = 6  # people who wait: of more, each is told the progress as much less often, as telling takes the same cores


class StatusLine:
    """One line that says what is going on, with the one button that goes with it; its place stays the same."""

    def __init__(self, key: str = "status") -> None:
        with st.container(key=key, horizontal=True, vertical_alignment="center"):
            self._text, self._button, self._key = st.empty(), st.empty(), key

    def rest(self, text: str, button: str = "", on_click: Callable[[], object] | None = None) -> None:
        self._text.caption(text)
        if button:
            self._button.button(button, type="primary", on_click=on_click)
        else:
            self._button.empty()

    def watch(self, job: Job, queue: JobQueue) -> None:
        """Show the job's progress until it has ended. Each look lets Streamlit interrupt, as when Stop is pressed."""
        if at_once(job):
            return
        self._button.button("Stop", on_click=job.cancel, key=f"stop-{self._key}")  # one page may wait for several
        for _ in looks(job, queue):
            self._text.progress(*progress_of(job, queue))


def at_once(job: Job) -> bool:
    """Whether it has ended before there is any need to tell of it."""
    with turns.away():
        return job.wait(LOOK)


def looks(job: Job, queue: JobQueue) -> Iterator[None]:
    """Now, and again and again until the job has ended: the times to tell its progress. In between Streamlit may
    interrupt.
    """
    due = 0.0
    while not job.ended:
        look = LOOK if job.state == "running" else LOOK_IN_LINE
        if (now := time.monotonic()) >= due:
            due = now + look * max(1.0, queue.people / CROWD) - LOOK / 2
            yield
        with turns.away():
            job.wait(look)
        _ = "session" in st.session_state  # here it does


def progress_of(job: Job, queue: JobQueue) -> tuple[float, str]:
    """The share that is done, in [0, 1], and what to say of it."""
    wait = queue.wait_of(job)
    what = "the answer" if job.expected else "its turn"
    text = waiting(wait.turns, wait.low, wait.high, what) if wait.turns else job.text
    return min(1.0, job.done / job.total) if job.total else 0.0, text or "Starting …"


def ask(question: Question, clf: Classifier, status: StatusLine) -> Exploration | None:
    """The answer to `question`, or what was shown before while this one has no answer. `status` says which.

    Until there is one, the clean picture is in view. A job runs by itself if the network's last run was quick,
    otherwise when the Run button says so.
    """
    me = session()
    found = me.kept(question) or answers().find(question)
    if found is None:
        clean = show_clean(question, clf)
        found = _answer(question, clf, status, me)
        if found is not None:
            clean.empty()
    else:
        st.empty()  # in its place, so that what comes below stays where it is
    if found is None:
        shown = me.shown if me.answered and same_picture(me.answered, question) else None
        told = "Below is still the run before. Press Run for these settings." if shown else ""
        if not me.seconds.get((question.network, question.device)):
            takes, where = _foretold(question.attack, clf), plain(device_title(question.device))
            told = f"A run with these settings takes {takes} on the {where}. {told}"
        status.rest(told, "Run", me.run)
        return shown
    me.show(found, question)
    took = f"Attack {found.attack_seconds:.2f} s, labels {found.evidence_seconds:.2f} s"
    took += f", on the {plain(device_title(question.device))}."
    if found.result.stopped:
        status.rest(f"Stopped early: this is the best until then. {took}", "Run to the end", me.run)
    else:
        status.rest(took)
    return found


def _answer(question: Question, clf: Classifier, status: StatusLine, me: Session) -> Exploration | None:
    queue = queue_for(question.device)
    if me.asked != question or (me.job is not None and me.job.superseded):
        only_explains = answers().find_attack(question) is not None
        if not (me.run_now or only_explains or _patient(question, clf, me)):
            return None
        me.run_now = False
        expected = expected_seconds(question.attack, clf)
        deadline = max(limits().run_seconds, 4 * expected)
        part = part_of(question, clf)
        about = {"kind": "attack", "network": question.network}
        me.job = queue.submit(part, me.owner, deadline, expected=expected, wanted=presence(), **about)
        me.asked = question
    status.watch(me.job, queue)
    if isinstance(me.job.error, ValueError):
        st.error(plain(me.job.error))
    elif me.job.error is not None:
        raise me.job.error.with_traceback(None)  # else it keeps the frames of every run of the page that raised it
    return me.job.result


def _patient(question: Question, clf: Classifier, me: Session) -> bool:
    """Whether the run is likely to be quick enough to begin by itself."""
    last = me.seconds.get((question.network, question.device))
    return last < PATIENCE if last else expected_seconds(question.attack, clf) < UNASKED


def expected_seconds(
    attack: Attack, clf: Classifier, refining: float = PASSES_REFINING, labelling: float = PASSES_LABELLING
) -> float:
    """About what an attack and its labels take, from what one step of the network took."""
    own = attack.expected * (FORWARD if attack.black_box else 1)
    refinements = refining * (attack.prune or attack.polish) + FORWARD * attack.random_queries
    return (own + refinements + labelling) * seconds_per_step(clf)


def _foretold(attack: Attack, clf: Classifier) -> str:
    """How long that is likely to be: refining depends on how many pixels are needed, which nobody knows before."""
    return between(*(expected_seconds(attack, clf, refining) for refining in (FEWEST, MOST)))


def in_batches(runs: int, attack: Attack, networks: Sequence[Classifier]) -> str:
    """How long so many runs, shared out among these networks, are likely to take before one was measured."""
    low, high = (
        share * runs * fmean(expected_seconds(attack, clf, refining, labelling=0) for clf in networks)
        for share, refining in zip(IN_A_BATCH, (FEWEST, MOST), strict=True)
    )
    return f"Likely {between(low, high)} on this computer, if nobody else uses it."
