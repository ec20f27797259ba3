"""One room: who is there, what they have done, and what they see of it. Changed by `Rooms` alone, under its lock."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer.rooms.lock import Lock

HERE = 30.0  # seconds without a sign of life after which a member counts as gone
NICKNAME = 20  # characters
FINDS = 6  # that one member may put on the wall
WALL = 60  # finds on it


@dataclass(frozen=True)
class Find:
    """What a member found on a bundled sign: everything in it comes from the server's own work."""

    picture: str  # its name
    n_pixels: int
    before: str  # the class that the network saw, and sees
    after: str
    funny: bool = False  # the member wants the class to see it


@dataclass(frozen=True)
class Member:
    """One visitor who has joined."""

    number: int  # in the order of joining, from 1
    nickname: str = ""  # "" none
    hidden: bool = False  # the teacher took the nickname down
    step: int = 1
    solved: frozenset[int] = frozenset()
    seen: float = 0.0  # when there was a sign of life

    @property
    def name(self) -> str:
        """What the class sees."""
        return f"No. {self.number}" if self.hidden or not self.nickname else self.nickname


@dataclass(frozen=True)
class Entry:
    """A find on the wall, and whose it is."""

    find: Find
    member: int  # the member's number
    name: str


@dataclass(frozen=True)
class View:
    """All that a class sees of its room, at one moment."""

    code: str
    lock: Lock
    members: tuple[Member, ...]  # who are here now
    joined: int  # ever
    here: Mapping[int, int]  # members at each step
    solved: Mapping[int, int]  # members who have solved it, also those who have gone
    answers: Mapping[str, Mapping[str, int]]  # of each prediction: how often each choice
    wall: tuple[Entry, ...]  # the fewest pixels first


@dataclass
class Room:
    """The room itself."""

    code: str
    key: str
    opened: float
    seen: float  # when anybody was last heard of
    lock: Lock = field(default_factory=Lock)
    members: dict[str, Member] = field(default_factory=dict)  # by their token
    answers: dict[str, dict[str, str]] = field(default_factory=dict)  # question -> token -> choice
    finds: list[tuple[str, Find]] = field(default_factory=list)  # token, find
    joined: int = 0

    def view(self, now: float) -> View:
        """What is seen at this moment."""
        here = tuple(each for each in self.members.values() if now - each.seen <= HERE)
        solved = Counter(step for each in self.members.values() for step in each.solved)
        counts = {question: dict(Counter(given.values())) for question, given in self.answers.items()}
        entries = [
            Entry(find, self.members[token].number, self.members[token].name)
            for token, find in self.finds
            if token in self.members
        ]
        return View(
            self.code,
            self.lock,
            here,
            self.joined,
            dict(Counter(each.step for each in here)),
            dict(solved),
            counts,
            tuple(sorted(entries, key=lambda each: (each.find.n_pixels, each.member))),
        )

    def add_find(self, token: str, find: Find) -> None:
        """Put a find on the wall: of one member and picture the best, and a funny one stays funny."""
        own = [each for owner, each in self.finds if owner == token]
        earlier = next((each for each in own if each.picture == find.picture), None)
        if earlier is not None:
            best = min(earlier, find, key=lambda each: each.n_pixels)
            self.finds[self.finds.index((token, earlier))] = (token, replace(best, funny=earlier.funny or find.funny))
        elif len(own) < FINDS and len(self.finds) < WALL:
            self.finds.append((token, find))
