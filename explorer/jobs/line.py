"""The line of those who wait for a device: people take turns, and who asks for something newer keeps the place."""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

from explorer.jobs.batch import Batch
from explorer.jobs.job import Job, Part


@dataclass
class Turn:
    """What is done at once: a job alone, or several that can be done together."""

    jobs: list[Job]
    parts: list[Part]  # of the jobs; none where it is one alone
    questions: set[Hashable] = field(default_factory=set)

    @property
    def batch(self) -> Batch | None:
        """None: a job alone."""
        return Batch([*zip(self.jobs, self.parts, strict=True)]) if self.parts else None

    def takes(self, part: Part, share: int) -> bool:
        """Whether this part can be done as well, where so many questions are a worker's share."""
        if not self.parts or self.parts[0].kind != part.kind:
            return False
        return part.question in self.questions or len(self.questions) < min(share, part.most)

    def take(self, job: Job, part: Part | None) -> None:
        """Let a job have its turn now."""
        self.jobs.append(job)
        if part:
            self.parts.append(part)
            self.questions.add(part.question)


class Line:
    """Waiting jobs. One of each person's has its turn, then one of the next person's."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self._people: OrderedDict[Hashable, list[Job]] = OrderedDict()

    def add(self, job: Job) -> None:
        """At the end, or in the place of a job of the same owner that waits."""
        mine = self._people.setdefault(job.person, [])
        for place, other in enumerate(mine):
            if other.owner == job.owner:
                mine[place] = job
                return
        mine.append(job)

    def turns(self, running: int = 0) -> list[Turn]:
        """As they will be served: what can be done together with an earlier one is, in shares that leave all workers
        as much to do. `running`: questions that they work on already.
        """
        turns: list[Turn] = []
        order = self._order()
        asked: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
        for part in (job.part for job in order if job.part):
            asked[part.kind].add(part.question)
        for job in order:
            part = job.part
            share = math.ceil((len(asked[part.kind]) + running) / self._workers) if part else 0
            turn = next((each for each in turns if each.takes(part, share)), None) if part else None
            if turn is None:
                turn = Turn([], [])
                turns.append(turn)
            turn.take(job, part)
        return turns

    def take(self, running: int = 0) -> Turn | None:
        """The next turn. Who has more in the line goes to its end."""
        turn = next(iter(self.turns(running)), None)
        for job in turn.jobs if turn else ():
            mine = self._people[job.person]
            mine.remove(job)
            if mine:
                self._people.move_to_end(job.person)
            else:
                del self._people[job.person]
        return turn

    @property
    def jobs(self) -> list[Job]:
        """All who wait, in no order."""
        return [job for mine in self._people.values() for job in mine if not job.ended]

    def _order(self) -> list[Job]:
        for person, mine in [*self._people.items()]:
            mine[:] = [job for job in mine if job.look()]  # the others have stopped waiting
            if not mine:
                del self._people[person]
        rounds = max(map(len, self._people.values()), default=0)
        return [mine[turn] for turn in range(rounds) for mine in self._people.values() if turn < len(mine)]
