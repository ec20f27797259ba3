"""Questions as work for a device's queue: those that can be are answered in one batch."""

import time
from collections.abc import Callable, Sequence

from explorer.classifiers import Classifier
from explorer.jobs import Job, Part, Row
from explorer.limits import limits
from explorer.locks import own_twin
from explorer.memory import room_for
from explorer.pipeline import Asked, Exploration, Member, explore, explore_together, kind_of
from explorer.types import Step
from explorer.ui.caches import Question, answers, on_cpu

What = tuple[Question, Classifier]

TELL = 0.1  # seconds between two times that those who wait hear how far it is


def part_of(question: Question, clf: Classifier) -> Part:
    """The work of answering a question."""
    asked = _asked(question)
    kind = question.network, question.device, question.owner, kind_of(asked)
    # of more, the last one's answer would be long in coming
    most = min(limits().batch, room_for(question.image[None].to(clf.device), 0).at_once)
    return Part(repr(kind), repr(question), (question, clf), _together, most)


def _together(rows: Sequence[Row]) -> None:
    """Answer the questions of these rows."""
    fresh: dict[int, Row] = {}
    members = []
    for row in rows:
        question, clf = row.what
        if (known := answers().find(question)) is not None:
            row.settle(known)
        elif (earlier := answers().find_attack(question)) is not None:
            _relabel(row, earlier)
        else:
            member = Member(_asked(question), lambda row=row: row.wanted, _teller(row))
            members.append(member)
            fresh[id(member)] = row
    # the proof's splits come when it is asked for: the picture shall not wait for them
    for member, found in explore_together(own_twin(clf), members, splits=0):
        row = fresh[id(member)]
        if isinstance(found, ValueError):
            row.fail(found)
        else:
            _settle(row, found)


def _relabel(row: Row, earlier: Exploration) -> None:
    question, clf = row.what
    asked = vars(_asked(question))
    try:
        _settle(row, explore(own_twin(clf), **asked, earlier=earlier, splits=0))
    except ValueError as error:
        row.fail(error)


def _settle(row: Row, found: Exploration) -> None:
    question, _ = row.what
    exploration = on_cpu(found)
    if not exploration.result.stopped:
        answers().keep(question, exploration)
    row.settle(exploration)


def _teller(row: Row) -> Callable[[Step, int, Callable[[], Exploration | None]], None]:
    """What a row's jobs hear of the steps, now and then. Who has asked to stop gets the best until then, and nobody
    else stops.
    """
    question, _ = row.what
    due = 0.0

    def on_step(step: Step, index: int, so_far: Callable[[], Exploration | None]) -> None:
        nonlocal due
        if (now := time.monotonic()) < due and step.done < step.total and row.wanted:
            return
        due = now + TELL
        stopping: list[Job] = row.tell(step.done, step.total, _progress(step, index, question))
        if stopping and (best := so_far()) is not None:
            best = on_cpu(best)
            for job in stopping:
                job.settle(best)

    return on_step


def _asked(question: Question) -> Asked:
    return Asked(
        question.image,
        question.attack,
        label=question.label,
        target=question.target,
        region=question.region,
        method=question.method,
        stage=question.stage,
    )


def _progress(step: Step, index: int, question: Question) -> str:
    n_pixels, size = int(step.n_pixels[index]), question.image[0].numel()
    if step.done >= step.total:
        return "The attack is done; the changed pixels are being labelled"
    best = "not fooled yet" if n_pixels >= size else f"fooled by {n_pixels:,} of {size:,} pixels"
    return f"Step {step.done:,} of {step.total:,}: {best}"
