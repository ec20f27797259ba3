"""Who does a study's parts: this process, or whatever else can do one of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from explorer.locks import exclusive
from explorer.studies.measures import measured
from explorer.studies.part import Part
from explorer.studies.plan import Terms
from explorer.types import OnStep

Found = tuple[Part, list[dict[str, Any]]]  # a part, and of each of its runs what came of it


class Engine(Protocol):
    """Does parts, in whatever order."""

    def do_one(self, parts: Sequence[Part], terms: Terms, on_step: OnStep | None) -> Found | None:
        """Do one of `parts` (not empty), of which the first should come first; None if `on_step` asked to stop.

        It is called until all of them are done, so that an engine may begin with several at once.
        """
        ...


class Local:
    """One part after another, here."""

    def do_one(self, parts: Sequence[Part], terms: Terms, on_step: OnStep | None) -> Found | None:
        """See Engine."""
        part = parts[0]
        with exclusive(part.subject.network):  # also where it is attacked together with a defence
            found = measured(part.subject.attacked, part.images, part.labels, part.attack, terms, on_step)
        return None if found is None else (part, found)
