"""The one loop: settings x networks, with and without defences, x pictures -> rows, which a ledger keeps."""

import time
from collections.abc import Sequence

from explorer.studies.engines import Engine, Local
from explorer.studies.ledger import Ledger, Row
from explorer.studies.part import Run, parts_of
from explorer.studies.plan import Setting, Terms, described, run_key, version
from explorer.studies.subject import Subject
from explorer.types import OnStep


class Study:
    """Every setting on every picture of every subject; what the ledger knows already is not done again."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        settings: Sequence[Setting],
        ledger: Ledger | None = None,
        *,
        batch: int | None = None,
        terms: Terms = Terms(),
        engine: Engine | None = None,
    ) -> None:
        """`batch`: runs at a time, by default as many as fit the memory.

        Raises ValueError with one sentence if the ledger is of another version of this program, or of another network
        of the same name.
        """
        self.ledger = Ledger() if ledger is None else ledger
        _refuse_strangers(self.ledger, subjects)
        self.terms = terms
        self.runs = [
            _run(setting, each, i, terms) for each in subjects for setting in settings for i in range(len(each.images))
        ]
        self._total = len({run.key for run in self.runs})
        self._engine = Local() if engine is None else engine
        missing = (run for run in self.runs if run.key not in self.ledger.rows)
        self._parts = parts_of(missing, batch, terms.mixed)
        self.seconds, self._finished = 0.0, 0  # of work, and runs, by this object

    @property
    def total(self) -> int:
        """Runs, each counted once."""
        return self._total

    @property
    def left(self) -> int:
        """Runs that are still to be done."""
        return sum(map(len, self._parts))

    @property
    def done(self) -> int:
        return self.total - self.left

    @property
    def next_batch(self) -> int:
        """Runs of the part that comes next, or is being done."""
        return len(self._parts[0]) if self._parts else 0

    @property
    def seconds_per_run(self) -> float:
        """What a run of this object's took on average; 0 before the first."""
        return self.seconds / self._finished if self._finished else 0.0

    def advance(self, on_step: OnStep | None = None) -> bool:
        """Do the next part and put it into the ledger; False if nothing was left, or `on_step` asked to stop.

        A part that was stopped is not kept: its runs are done again when the study goes on. Raises ValueError with one
        sentence where the ledger cannot be written; what was done is written once it can be.
        """
        if not self._parts:
            self.ledger.flush()
            return False
        started = time.perf_counter()
        found = self._engine.do_one(self._parts, self.terms, on_step)
        self.seconds += time.perf_counter() - started
        if found is None:
            return False
        part, measured = found
        self._finished += len(part)
        self._parts.remove(part)
        self.ledger.append(_row(run, of) for run, of in zip(part.runs, measured, strict=True))
        return True

    def rows(self) -> list[Row]:
        """What is done, in the order of the plan: settings slow, pictures fast. Networks and pictures are known by
        their content, and called as they are called now.
        """
        known = self.ledger.rows
        return [known[run.key] | run.named for run in self.runs if run.key in known]


def _run(setting: Setting, subject: Subject, index: int, terms: Terms) -> Run:
    picture, label = subject.images_sha256[index], int(subject.labels[index])
    return Run(setting, subject, index, run_key(setting, picture, label, subject.network_sha256, terms))


def _row(run: Run, measured: Row) -> Row:
    subject = run.subject
    return {
        "key": run.key,
        **run.named,
        **described(run.setting),
        **measured,
        "picture_sha256": subject.images_sha256[run.index],
        "network_sha256": subject.network_sha256,
        "version": version(),
    }


def _refuse_strangers(ledger: Ledger, subjects: Sequence[Subject]) -> None:
    """Raise ValueError if runs of other versions or networks would stand beside this study's."""
    known = {(each.name, each.defended_by): each.network_sha256 for each in subjects}
    for row in ledger.rows.values():
        if "network_sha256" not in row:  # no run: what others note about one
            continue
        if row.get("version") != version():
            raise ValueError(
                f"{ledger.path} was made by another version of this program or of torch ({row.get('version')}; this is "
                f"{version()}): name another file, or start this one anew."
            )
        if known.get((row["network"], row.get("defence")), row["network_sha256"]) != row["network_sha256"]:
            raise ValueError(
                f"{ledger.path} holds runs of another network that was called {row['network']}: name another file, or "
                "start this one anew."
            )
