"""All rooms of this server: opened by a teacher, joined by code, gone with the lesson. Nothing is written down."""

import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from explorer.limits import limits
from explorer.rooms.codes import draw_code, read_code
from explorer.rooms.lock import Lock
from explorer.rooms.room import NICKNAME, Find, Member, Room, View

QUESTIONS, CHOICE = 30, 60  # predictions of a room, and characters of a question's name or a choice
GONE = (
    "There is no room with this code: it has ended, or the app was started again, which ends all rooms. Ask your "
    "teacher for the code; the lesson works without a room as well."
)


class Rooms:
    """Every call is whole: many threads may ask at once. Errors are ValueErrors with one sentence."""

    def __init__(self, pictures: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`pictures`: names of the pictures that may be on a wall."""
        self._pictures = frozenset(pictures)
        self._clock = clock
        self._rooms: dict[str, Room] = {}
        self._guard = threading.RLock()

    def open(self) -> tuple[str, str]:
        """A new room: its code, for everybody, and its key, for the teacher."""
        with self._guard:
            self._sweep()
            if len(self._rooms) >= (most := limits().rooms):
                raise ValueError(f"{most} rooms are open already, which is the most: end one, or wait for one to end.")
            code = next(each for each in iter(draw_code, None) if each not in self._rooms)
            now = self._clock()
            self._rooms[code] = room = Room(code, secrets.token_urlsafe(12), now, now)
            return code, room.key

    def view(self, code: str) -> View:
        """What is seen of the room now."""
        with self._guard:
            return self._room(code).view(self._clock())

    def join(self, code: str, nickname: str = "") -> str:
        """A new member's token, which only that member knows. The nickname is cut to one short line."""
        with self._guard:
            room, now = self._room(code), self._clock()
            if len(room.members) >= limits().members:
                self._forget_one(room, now)
            room.joined += 1
            token = secrets.token_urlsafe(9)
            room.members[token] = Member(room.joined, as_nickname(nickname), seen=now)
            room.seen = now
            return token

    def come_back(self, code: str, token: str) -> View:
        """A sign of life of a member whose page was loaded anew; what the room looks like."""
        with self._guard:
            room, now = self._room(code), self._clock()
            room.members[token] = replace(self._member(room, token), seen=now)
            return room.view(now)

    def leave(self, code: str, token: str) -> None:
        """A member goes, and what they said and found goes with them."""
        with self._guard:
            self._forget(self._room(code), token)

    def stand(self, code: str, token: str, step: int, solved: Collection[int] = ()) -> View:
        """A sign of life of a member, who is at this step and has solved these; what the room looks like."""
        with self._guard:
            room, now = self._room(code), self._clock()
            member = self._member(room, token)
            room.members[token] = replace(member, step=step, solved=member.solved | frozenset(solved), seen=now)
            room.seen = now
            return room.view(now)

    def answer(self, code: str, token: str, question: str, choice: str) -> None:
        """A member's prediction: the first one counts, as one that follows the solution is none."""
        with self._guard:
            room = self._room(code)
            self._member(room, token)
            for text in (question, choice):
                if not 0 < len(text) <= CHOICE:
                    raise ValueError(f"An answer has 1 to {CHOICE} characters; got {len(text)}.")
            if question not in room.answers and len(room.answers) >= QUESTIONS:
                raise ValueError(f"A room has {QUESTIONS} questions at most.")
            room.answers.setdefault(question, {}).setdefault(token, choice)

    def find(self, code: str, token: str, find: Find) -> None:
        """Put what a member found on the wall: bundled pictures only."""
        with self._guard:
            room = self._room(code)
            self._member(room, token)
            if find.picture not in self._pictures:
                raise ValueError("Only the signs that come with the app can be put on the wall.")
            room.add_find(token, find)

    def hold(self, code: str, key: str, lock: Lock) -> None:
        """The teacher holds these in place, and nothing else."""
        with self._guard:
            self._taught(code, key).lock = lock

    def hide_name(self, code: str, key: str, number: int) -> None:
        """The teacher takes a nickname down."""
        with self._guard:
            room = self._taught(code, key)
            for token, member in room.members.items():
                if member.number == number:
                    room.members[token] = replace(member, hidden=True)

    def take_down(self, code: str, key: str, number: int, picture: str) -> None:
        """The teacher takes a find off the wall."""
        with self._guard:
            room = self._taught(code, key)
            numbers = {token: member.number for token, member in room.members.items()}
            room.finds = [
                (token, find) for token, find in room.finds if (numbers.get(token), find.picture) != (number, picture)
            ]

    def attend(self, code: str, key: str) -> View:
        """A sign of life of the teacher; what the room looks like."""
        with self._guard:
            room = self._taught(code, key)
            room.seen = self._clock()
            return room.view(room.seen)

    def end(self, code: str, key: str) -> None:
        """The lesson is over: everything that the room knew is gone."""
        with self._guard:
            del self._rooms[self._taught(code, key).code]

    def _room(self, text: str) -> Room:
        self._sweep()
        room = self._rooms.get(read_code(text))
        if room is None:
            raise ValueError(GONE)
        return room

    def _taught(self, code: str, key: str) -> Room:
        room = self._room(code)
        if not secrets.compare_digest(room.key.encode(), key.encode("utf-8", "replace")):
            raise ValueError("This is not the teacher's key of this room.")
        return room

    def _member(self, room: Room, token: str) -> Member:
        if token not in room.members:
            raise ValueError("You are not in this room any more: join again with its code.")
        return room.members[token]

    def _forget_one(self, room: Room, now: float) -> None:
        """Make room for a new member: of those who have been silent, the longest goes."""
        token, member = min(room.members.items(), key=lambda each: each[1].seen)
        if now - member.seen < 60:
            raise ValueError(f"The room is full: {len(room.members)} are in it.")
        self._forget(room, token)

    def _forget(self, room: Room, token: str) -> None:
        room.members.pop(token, None)
        room.finds = [each for each in room.finds if each[0] != token]
        for given in room.answers.values():
            given.pop(token, None)

    def _sweep(self) -> None:
        now, most = self._clock(), limits()
        for code, room in [*self._rooms.items()]:
            if now - room.opened > 60 * most.room_minutes or now - room.seen > 60 * most.silent_minutes:
                del self._rooms[code]


def as_nickname(text: str) -> str:
    """One line of at most NICKNAME printable characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[:200]).split())
    return line[:NICKNAME].strip()
