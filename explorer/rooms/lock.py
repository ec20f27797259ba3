"""What a teacher holds in place for a class: the picture, the network, the step, and which controls are seen."""

from collections.abc import Collection
from dataclasses import dataclass

CONTROLS = {
    "signs": "Choosing the sign",
    "network": "Choosing the network",
    "formula": "The formula, one click deeper",
    "notes": "The teacher's notes",
    "blink": "The switch to the picture before",
}


LONGEST = 400  # characters of a link's lock that are read


@dataclass(frozen=True)
class Lock:
    """Held in place: "" and 0 hold nothing. A link holds all but the step, which it names by itself."""

    step: int = 0  # from 1; with it nobody goes to another step
    picture: str = ""
    network: str = ""
    hidden: frozenset[str] = frozenset()  # keys of CONTROLS

    @classmethod
    def parse(cls, text: str, pictures: Collection[str], networks: Collection[str]) -> tuple["Lock", tuple[str, ...]]:
        """A lock from a link, such as "picture:stop-2,hide:notes+signs", and the parts that mean nothing here."""
        picture, network, hidden, unknown = "", "", set(), []
        for part in filter(None, text[:LONGEST].split(",")):
            name, _, value = part.partition(":")
            if name == "picture" and value in pictures:
                picture = value
            elif name == "network" and value in networks:
                network = value
            elif name == "hide" and (known := set(value.split("+"))) <= set(CONTROLS):
                hidden |= known
            else:
                unknown.append(part)
        return cls(0, picture, network, frozenset(hidden)), tuple(unknown)

    def text(self) -> str:
        """What `parse` reads."""
        hidden = "+".join(name for name in CONTROLS if name in self.hidden)
        parts = {"picture": self.picture, "network": self.network, "hide": hidden}
        return ",".join(f"{name}:{value}" for name, value in parts.items() if value)

    def under(self, other: "Lock") -> "Lock":
        """Both together; where both say something, the other one counts."""
        return Lock(
            other.step or self.step,
            other.picture or self.picture,
            other.network or self.network,
            self.hidden | other.hidden,
        )
