"""The one loop: settings x networks, with and without defences, x pictures -> rows, which a ledger keeps."""

import dataclasses
import time
from collections.abc import Sequence

from explorer.studies.engines import Engine, Local
from explorer.studies.ledger import Ledger, Row
from explorer.studies.measures import well_formed
from explorer.studies.part import Run, parts_of
from explorer.studies.plan import Setting, Terms, described, run_key, version
from explorer.studies.shipped import find_shipped
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
        shipped: bool = False,
    ) -> None:
        """`batch`: runs at a time, by default as many as fit the memory. `shipped`: runs that came with the project are
        done, though not here.

        Raises ValueError with one sentence if the ledger is of another version of this program, or of another network
        of the same name.
        """
        self.ledger = Ledger() if ledger is None else ledger
        self.terms = terms
        self.runs = [
            _run(setting, each, i, terms) for each in subjects for setting in settings for i in range(len(each.images))
        ]
        self._total = len({run.key for run in self.runs})
        self._engine = Local() if engine is None else engine
        known = self.ledger.rows
        for run in self.runs:  # anybody can write into its file: a line that was changed counts as not done
            if run.key in known and not _is_of(run, known[run.key]):
                del known[run.key]
        _refuse_strangers(self.ledger, subjects)
        brought = {run.key: row for run in self.runs if (row := find_shipped(*run.identity, terms))} if shipped else {}
        self.brought = len({*brought} - {*known})  # runs that were done elsewhere
        self.ledger.rows = known = brought | known
        missing = (run for run in self.runs if run.key not in known)
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
    run = Run(setting, subject, index, "")
    return dataclasses.replace(run, key=run_key(*run.identity, terms))


def _row(run: Run, measured: Row) -> Row:
    return {
        "key": run.key,
        **run.named,
        **described(run.setting),
        **measured,
        **_content(run),
    }


def _content(run: Run) -> Row:
    """What the run is about, and whose work it is."""
    subject = run.subject
    return {
        "picture_sha256": subject.images_sha256[run.index],
        "network_sha256": subject.network_sha256,
        "version": version(),
    }


def _is_of(run: Run, row: Row) -> bool:
    """Whether a row of a file may be what this run found."""
    return _content(run).items() <= row.items() and well_formed(row, run.setting, run.subject.images[0].numel())


def _refuse_strangers(ledger: Ledger, subjects: Sequence[Subject]) -> None:
    """Raise ValueError if runs of other versions or networks would stand beside this study's."""
    known = {(each.name, each.defended_by): each.network_sha256 for each in subjects}
    for row in ledger.rows.values():
        if not isinstance(row, dict) or "network_sha256" not in row:  # no run: what others note about one
            continue
        if row.get("version") != version():
            raise ValueError(
                f"{ledger.path} was made by another version of this program or of torch ({_short(row.get('version'))}; "
                f"this is {version()}): name another file, or start this one anew."
            )
        name = row.get("network")
        found = [sha256 for called, sha256 in known.items() if called == (name, row.get("defence"))]
        if found and found != [row["network_sha256"]]:
            raise ValueError(
                f"{ledger.path} holds runs of another network that was called {_short(name)}: name another file, or "
                "start this one anew."
            )


def _short(text: object) -> str:
    """What a file says, as part of a sentence."""
    return " ".join(str(text).split())[:60]
