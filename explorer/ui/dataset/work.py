"""A study as long work: reads the pictures, attacks and labels them; stopped, gone on with, found again by its link."""

import threading
from collections import OrderedDict
from datetime import date

from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.jobs import Job
from explorer.studies import Ledger
from explorer.studies.dataset import DataSetStudy, Told, gather, record_of, report
from explorer.studies.dataset.study import labels_sha256
from explorer.studies.plan import version
from explorer.types import Step
from explorer.ui.caches import content_of
from explorer.ui.compare.choices import title_of
from explorer.ui.dataset.choices import Choice
from explorer.ui.long_runs import LongRun, long_runs, own_runs
from explorer.ui.run_files import file_for, key_of
from explorer.ui.runs import expected_seconds
from explorer.ui.session import session
from explorer.ui.stores import server_wide
from explorer.ui.words import duration

IN_MEMORY = 4  # studies; of 600 pictures for ImageNet, each takes 360 MB
BATCH = 12  # pictures attacked at a time: after each batch, what is done is kept, and others get their turn


class Work:
    """The study of one choice. Its pictures are read when they are needed, and let go when many others were."""

    def __init__(self, choice: Choice, networks: dict[str, Classifier], ledger: Ledger) -> None:
        self.choice, self.study = choice, None
        self._networks, self._ledger = networks, ledger
        self._guard = threading.Lock()

    @property
    def begun(self) -> bool:
        """Whether anything of it is done."""
        return bool(self._ledger.rows)

    def prepared(self, job: Job | None = None) -> DataSetStudy | None:
        """The study, with its pictures; None if the job was stopped before. Raises ValueError with one sentence."""
        with self._guard:
            study = self.study or self._made(job)
            self.study = study
        if study is not None and not self.choice.of_the_visit:  # what is of a visit goes with it
            in_memory().use(self)
        return study

    def _made(self, job: Job | None) -> DataSetStudy | None:
        gathered = []
        for title, clf in self._networks.items():

            def stopped(done: int, title: str = title) -> bool:
                if job is not None:
                    job.report(0, 1, f"Reading the pictures for {title}: {done:,}")
                return job is not None and job.should_stop

            found = gather(clf, self.choice.listed(clf), title=title, stopped=stopped)
            if found is None:
                return None
            gathered.append(found)
        return DataSetStudy(gathered, self.choice.attack, self._ledger, batch=BATCH)

    def advance(self, job: Job) -> bool:
        """Do the next part; whether there is more."""
        study = self.prepared(job)
        if study is None or not study.left:
            return False

        def on_step(step: Step) -> bool:
            share = study.next_batch * min(1.0, step.done / max(1, step.total))
            job.report(study.attacked + share, study.total, progress(study))
            return job.should_stop

        job.report(study.done, study.total, progress(study))
        return study.advance(on_step) and study.left > 0

    def told(self) -> str:
        """How much is done, in one line."""
        choice, study = self.choice, self.study
        n = choice.n * len(self._networks)
        if study is None:
            seconds = sum(expected_seconds(choice.attack, clf) for clf in self._networks.values()) * choice.n
            return f"{n:,} attacks: {duration(seconds)} on this computer, if nobody else uses it."
        if not study.left:
            left_out = sum(len(each.left_out) for each in study.gathered)
            others = f" {left_out:,} are not attacked: see below." if left_out else ""
            return f"All {study.total:,} attacks are done.{others}"
        kept = "" if choice.of_the_visit else ": this page's link finds it"
        return f"{study.done:,} of {study.total:,} attacks are done. What is done is kept{kept}."

    def report(self) -> str:
        """The report of what is done so far."""
        study, pictures = self.prepared(), self.choice.pictures_title
        record = record_of(study.gathered, self.choice.attack, DEFAULT_METHOD, pictures, 0)
        return report(study.rows(), study.gathered, record, Told(pictures, when=f"{date.today():%d %B %Y}"))


class InMemory:
    """The studies whose pictures are in memory: those that were used last."""

    def __init__(self, limit: int = IN_MEMORY) -> None:
        self._limit = limit
        self._kept: OrderedDict[int, Work] = OrderedDict()
        self._guard = threading.Lock()

    def use(self, work: Work) -> None:
        """It is used now; the one that was not for longest lets its pictures go, if there are too many."""
        with self._guard:
            self._kept[id(work)] = work
            self._kept.move_to_end(id(work))
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)[1].study = None


@server_wide
def in_memory() -> InMemory:
    """The one store of this server."""
    return InMemory()


def progress(study: DataSetStudy) -> str:
    """How far it is and how long it will take."""
    told = f"{study.done:,} of {study.total:,} attacks"
    return f"{told}, {duration(study.left * study.seconds_per_picture)} left" if study.seconds_per_picture else told


def run_of(choice: Choice) -> LongRun:
    """The run of this choice: the same one for everybody who makes it, also after the server's restart; one of the
    visitor's own pictures or weights is kept in memory, for this visit.
    """
    titles = [title_of(name) for name in choice.networks]
    titles = titles if len({*titles}) == len(titles) else choice.networks
    networks = {title: choice.clf(name) for title, name in zip(titles, choice.networks, strict=True)}
    contents = [content_of(clf) for clf in networks.values()]
    private = choice.of_the_visit
    versions = version(), labels_sha256()
    owner = session().owner if private else ""
    key = key_of("dataset", contents, [*networks], choice.known(), versions, owner)

    def make() -> LongRun:
        path = None if private else file_for(key, ".jsonl")
        work = Work(choice, networks, Ledger(path))
        network = contents[0] if len(contents) == 1 else ""
        device = str(next(iter(networks.values())).device)
        return LongRun(key, device, work.advance, work, kind="dataset", network=network, path=path)

    return (own_runs() if private else long_runs()).get(key, make)
