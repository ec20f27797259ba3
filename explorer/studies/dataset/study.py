"""One attack on every picture of a data set, and the label of every pixel that it changes: one row per picture.

The loop is explorer.studies.Study's; what is added is the labels, which go into the same ledger.
"""

import math
import time
from collections.abc import Sequence
from functools import cache
from typing import get_args

import explorer
from explorer.attacks import Attack
from explorer.evidence import DEFAULT_METHOD, METHODS, explain_pixels, methods_for, trust
from explorer.evidence.trust import Colour
from explorer.hashes import rooms_sha256
from explorer.studies.dataset.changes import changes_of, read_changes, write_changes, write_kinds
from explorer.studies.dataset.pictures import Gathered
from explorer.studies.engines import Engine
from explorer.studies.ledger import Ledger, Row
from explorer.studies.measures import unpack
from explorer.studies.part import Run
from explorer.studies.plan import code_sha256
from explorer.studies.study import Study
from explorer.types import OnStep

LABELLED_AT_ONCE = 4  # pictures between two looks at whether to stop


class DataSetStudy:
    """The pictures that were gathered, attacked and labelled; what the ledger knows already is not done again."""

    def __init__(
        self,
        gathered: Sequence[Gathered],
        attack: Attack,
        ledger: Ledger | None = None,
        *,
        method: str = DEFAULT_METHOD,
        batch: int | None = None,
        engine: Engine | None = None,
    ) -> None:
        """`method`, a key of METHODS, labels the pixels; see valid_method. `batch`: pictures attacked at a time.
        `engine`: who attacks them, by default this process. Raises ValueError with one sentence if no picture can be
        attacked, or the method is not valid.
        """
        self.gathered, self.attack, self.ledger = tuple(gathered), attack, Ledger() if ledger is None else ledger
        if not any(len(each.subject.images) for each in gathered):
            reasons = list(dict.fromkeys(left.reason for each in gathered for left in each.left_out))
            told = f" {reasons[0]}." if reasons else ""
            raise ValueError(f"None of the pictures can be attacked.{told}")
        used = [each for each in gathered if len(each.subject.images)]
        self._study = Study([each.subject for each in used], [attack], self.ledger, batch=batch, engine=engine)
        self._of = {each.subject.name: each for each in used}
        self._methods = {each.subject.name: valid_method(each, method) for each in used}
        for run in self._study.runs:  # anybody can write into its file: a line that was changed counts as not done
            key = self._label_key(run)
            if key in self.ledger.rows and not _are_labels(self.ledger.rows[key]):
                del self.ledger.rows[key]
        self.seconds, self._finished = 0.0, 0  # of work, and pictures attacked, by this object

    @property
    def total(self) -> int:
        """Pictures to attack, over all networks."""
        return self._study.total

    @property
    def done(self) -> int:
        """Those that are attacked and labelled."""
        return len({run.key for run in self._study.runs if self._label_key(run) in self.ledger.rows})

    @property
    def left(self) -> int:
        return self.total - self.done

    @property
    def next_batch(self) -> int:
        """Pictures of the batch that comes next, or is being attacked."""
        return self._study.next_batch

    @property
    def attacked(self) -> int:
        return self._study.done

    @property
    def seconds_per_picture(self) -> float:
        """What one took this object on average; 0 before the first."""
        return self.seconds / self._finished if self._finished else 0.0

    def advance(self, on_step: OnStep | None = None) -> bool:
        """Label some pictures that are attacked, or else attack the next batch; False if nothing is left, or `on_step`
        asked to stop. Raises ValueError with one sentence where the ledger cannot be written; nothing is lost.
        """
        started = time.perf_counter()
        waiting = [
            run
            for run in self._study.runs
            if run.key in self.ledger.rows and self._label_key(run) not in self.ledger.rows
        ]
        if waiting:
            some = waiting[:LABELLED_AT_ONCE]
            self.ledger.append([self._labelled(run) for run in some])
            self._finished += len(some)
        elif not self._study.advance(on_step):
            return False
        self.seconds += time.perf_counter() - started
        return True

    def rows(self) -> list[Row]:
        """What is attacked and labelled, in the order of networks and pictures."""
        known = self.ledger.rows
        return [
            self._row(run, known[run.key], known[self._label_key(run)])
            for run in self._study.runs
            if run.key in known and self._label_key(run) in known
        ]

    def _labelled(self, run: Run) -> Row:
        """The row of a picture's labels: none where the network was not fooled, or too many pixels changed."""
        row, subject = self.ledger.rows[run.key], run.subject
        image, label = subject.images[run.index], int(subject.labels[run.index])
        adversarial = unpack(image, row["changes"])
        found: Row = {"key": self._label_key(run), "change": "", "kinds": "", "trust": ""}
        if adversarial is not None:
            found["change"] = write_changes(changes_of(image, adversarial))
        started = time.perf_counter()
        if found["change"] and row["succeeded"]:
            method = self._methods[subject.name]
            told = explain_pixels(subject.network, image, adversarial, label, method, splits=0)
            found |= {"kinds": write_kinds(told), "trust": trust(told).colour}
        return found | {"label_seconds": time.perf_counter() - started}

    def _label_key(self, run: Run) -> str:
        return f"{run.key}-{self._methods[run.subject.name]}-{labels_sha256()[:12]}"

    def _row(self, run: Run, attacked: Row, labelled: Row) -> Row:
        of, kinds = self._of[run.subject.name], labelled["kinds"]
        wrong = of.class_names[attacked["adversarial_label"]] if attacked["succeeded"] else ""
        height, width = of.sizes[run.index]
        own = {
            "network": run.subject.name,
            "picture": run.subject.picture(run.index),
            "true_class": of.class_names[attacked["label"]],
            "class_known": of.known[run.index],
            "wrong_class": wrong,
            "succeeded": attacked["succeeded"],
            "n_pixels": attacked["n_pixels"],
            "n_entries": attacked["n_entries"],
            "obscuring": kinds.upper().count("O"),
            "leading": kinds.upper().count("L"),
            "weak": sum(letter.islower() for letter in kinds),
            "trust": labelled["trust"],
            "confidence": attacked["confidence"],
            "seconds": attacked["seconds"],
            "label_seconds": labelled["label_seconds"],
            "original_height": height,
            "original_width": width,
            "height": run.subject.images.shape[2],
            "width": run.subject.images.shape[3],
            "change": labelled["change"],
            "kinds": kinds,
            "method": self._methods[run.subject.name],
        }
        rest = {name: value for name, value in attacked.items() if name not in {*own, "key", "changes"}}
        return own | rest | {"explorer": explorer.__version__, "code_sha256": code_sha256()}


def _are_labels(row: Row) -> bool:
    """Whether a row of a file may be one of _labelled's."""
    try:
        read_changes(row["change"], row["kinds"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    seconds = row.get("label_seconds")
    return row.get("trust") in ("", *get_args(Colour)) and isinstance(seconds, float) and math.isfinite(seconds)


def valid_method(gathered: Gathered, method: str) -> str:
    """The method that labels this network's pixels: where the default is not valid for it, the first one that is.
    Raises ValueError with one sentence if another one was asked for and is not valid.
    """
    problems = methods_for(gathered.subject.network, gathered.subject.images[0])
    if problems[method] is None:
        return method
    if method != DEFAULT_METHOD:
        raise ValueError(f"{METHODS[method].title} is not valid for {gathered.subject.name}: {problems[method]}.")
    return next(name for name, problem in problems.items() if problem is None)


@cache
def labels_sha256() -> str:
    """Fingerprint of the code that labels pixels: an older version's labels are not taken for this one's."""
    return rooms_sha256("evidence")
