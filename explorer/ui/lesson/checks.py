"""Whether a task is solved, and why: from what was played, without Streamlit. Every sentence is for the student."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.pipeline import percent
from explorer.types import Kind

FEW = 3  # pixels: "Fool it"
TO_FIND = 3  # changed pixels: "Find the pixel"
SURE = 0.9  # of the true class: "Repair it"
TIMES = 3  # as many pixels: "The robust network"


@dataclass(frozen=True)
class Verdict:
    """Solved, or not yet, and a sentence why. It may hold markdown: names are the app's own."""

    solved: bool
    why: str


@dataclass(frozen=True)
class Fooled:
    """The pixels that each sign took, and whether the sign could be chosen."""

    pixels: Mapping[str, int]
    free: bool
    last: str = ""  # the title of the sign that was attacked last


def check_fooled(played: Fooled) -> Verdict:
    if not played.pixels:
        return Verdict(False, "No sign has been attacked yet: press *Fool the network*.")
    fewest = min(played.pixels.values())
    if not played.free:
        return Verdict(True, f"The network is fooled, by {_pixels(fewest)} of 4,096.")
    if fewest <= FEW:
        return Verdict(True, f"{_pixels(fewest)} of 4,096 are enough for one of your signs.")
    return Verdict(
        False,
        f"Fooled, but it took {_pixels(fewest)}. Try another: which one is faint, or hardly differs from others?",
    )


@dataclass(frozen=True)
class Found:
    """Where the changed pixels are, and where somebody pointed."""

    changed: frozenset[tuple[int, int]]
    clicks: tuple[tuple[int, int], ...]

    def near(self, click: tuple[int, int]) -> tuple[int, int] | None:
        """The changed pixel that was meant: this one or one beside it."""
        around = [place for place in self.changed if _distance(place, click) <= 1]
        return min(around, key=lambda place: _distance(place, click), default=None)

    @property
    def hits(self) -> frozenset[tuple[int, int]]:
        return frozenset(place for click in self.clicks if (place := self.near(click)) is not None)

    @property
    def wanted(self) -> int:
        return min(TO_FIND, len(self.changed))


def check_found(played: Found) -> Verdict:
    if not played.changed:
        return Verdict(False, "No pixel of this picture is changed: choose another sign.")
    n, wanted = len(played.hits), played.wanted
    if n >= wanted:
        tries = len(played.clicks)
        return Verdict(True, f"{n} of {_pixels(len(played.changed))} found, with {tries} tries.")
    if not played.clicks:
        return Verdict(False, f"Point at a pixel that was changed; {wanted} are to be found.")
    last = played.clicks[-1]
    if played.near(last) is not None:
        return Verdict(False, f"Yes, that one! {n} of {wanted} found.")
    distance = min(_distance(place, last) for place in played.changed)
    return Verdict(False, f"That pixel is as it was. The nearest changed one is {_pixels(distance)} away. {n} found.")


@dataclass(frozen=True)
class Repaired:
    """What was put back, and what the network sees then."""

    n_back: int
    n_pixels: int
    enough: int  # that can do it
    true: str
    seen: str
    share: float  # probability of the true class


def check_repaired(played: Repaired) -> Verdict:
    if not played.n_pixels:
        return Verdict(False, "There is nothing to put back here: choose another sign.")
    if played.seen != played.true:
        return Verdict(False, f"The network still sees *{played.seen}*. Put back a pixel, or another one.")
    if played.share < SURE:
        return Verdict(
            False,
            f"It sees *{played.true}* again, but is only {percent(played.share)} sure. Make it {percent(SURE)}.",
        )
    if played.n_back > played.enough:
        return Verdict(
            False, f"Repaired, but with {_pixels(played.n_back)} put back. {played.enough} can do: which ones?"
        )
    return Verdict(True, f"Repaired by {_pixels(played.n_back)} of {played.n_pixels}.")


@dataclass(frozen=True)
class Predicted:
    """One prediction of each kind: None not yet made, else whether it was right."""

    strength: bool | None
    kind: bool | None


def check_predicted(played: Predicted) -> Verdict:
    told = {"about λ": played.strength, "about the pixel": played.kind}
    missing = [name for name, right in told.items() if right is None]
    wrong = [name for name, right in told.items() if right is False]
    if wrong:
        return Verdict(False, f"Your prediction {' and the one '.join(wrong)} was another one than what happened. "
                       "That is how one learns: read why, and take the next question.")  # fmt: skip
    if missing:
        return Verdict(False, f"Still to predict: {' and '.join(missing)}.")
    return Verdict(True, "Both predictions came true, and you made them before you saw.")


@dataclass(frozen=True)
class Compared:
    """How many pixels each network took, on the same sign; None: not fooled."""

    sign: str
    ordinary: int | None
    robust: int | None
    free: bool = True


def check_compared(played: Compared) -> Verdict:
    if played.ordinary is None:
        return Verdict(False, "The ordinary network is not fooled here: choose another sign.")
    if played.robust is None:
        return Verdict(True, "The robust network is not fooled at all here.")
    both = f"{played.sign}: {_pixels(played.ordinary)} against {played.robust}"
    if played.robust >= TIMES * played.ordinary:
        return Verdict(True, f"{both}, that is {played.robust / played.ordinary:.1f} times as many.")
    if not played.free:
        return Verdict(True, f"{both}. On this sign robustness is worth {played.robust - played.ordinary} pixels.")
    return Verdict(False, f"{both}: not {TIMES} times as many. Robust does not mean safe; try another sign.")


@dataclass(frozen=True)
class Judged:
    """The pixel that was chosen, its label, and whose ground it lies on."""

    kind: Kind | None
    on_true: bool = False
    on_wrong: bool = False
    possible: bool = True  # whether any pixel of this picture could do


def check_judged(played: Judged) -> Verdict:
    if not played.possible:
        return Verdict(False, "On this sign the drawing confirms no label at all: choose another one.")
    if played.kind is None:
        return Verdict(False, "Choose a mark in the picture on the right: click it, or go to it with Tab, and Enter.")
    if played.on_true == played.on_wrong:
        where = "beside both drawings" if not played.on_true else "where both drawings have something"
        return Verdict(False, f"This {played.kind} pixel lies {where}: the drawing says nothing about it.")
    if played.on_true == (played.kind == "obscuring"):
        what = "hides a part of the true sign" if played.on_true else "draws a part of the wrong sign"
        return Verdict(True, f"This {played.kind} pixel {what}: the drawing, which knows no network, agrees.")
    return Verdict(
        False, f"The drawing disagrees with this label: it says {played.kind}, but the ground has the other colour. "
        "So a label is no certainty. Find one that holds.",
    )  # fmt: skip


@dataclass(frozen=True)
class Defended:
    """How many signs the network sees correctly through the filter, of how many."""

    width: int  # of the filter's window; 1: no filter
    clean: int
    attacked: int
    of: int


def check_defended(played: Defended) -> Verdict:
    counts = f"Clean signs right: {played.clean} of {played.of}; attacked ones: {played.attacked} of {played.of}."
    if played.clean == played.attacked == played.of and played.width > 1:
        return Verdict(True, counts)
    if played.width == 1:
        return Verdict(False, f"{counts} That is without a filter: make its window wider.")
    if played.clean < played.of:
        return Verdict(False, f"{counts} Too strong: now the network cannot read clean signs either.")
    return Verdict(False, f"{counts} Too weak, or the wrong kind: some attacks come through.")


def kind_right(guess: str, kind: Kind) -> bool:
    """Whether a guess names the kind."""
    return guess == kind


def change_of(before: int, after: int) -> str:
    """What happened to a count, as one of CHANGES: about the same is within a quarter."""
    if after > 1.25 * before:
        return CHANGES[2]
    return CHANGES[0] if after < 0.75 * before else CHANGES[1]


CHANGES: Sequence[str] = ("clearly fewer", "about as many", "clearly more")


def _distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]))


def _pixels(n: int) -> str:
    return f"{n:,} pixel" if n == 1 else f"{n:,} pixels"
