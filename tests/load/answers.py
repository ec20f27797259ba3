"""Questions of the visitors, what the page answers, and what the lone run answers to the same question."""

from dataclasses import dataclass
from functools import cache

from explorer import SparseAttack, load_classifier
from explorer.pipeline import explore
from explorer.samples import find_sample, gallery
from tests.load.tab import Tab

LAM = "λ · weight of sparsity"
DEFAULT = "1"  # of λ, as the page's own links say it: it corrects others, and begins anew
STOPS = ("0.5", "0.63", "0.79", "1.3", "1.6", "2", "2.5", "3.2", "0.4", "0.32", "0.25", "0.2")  # of λ's slider


@dataclass(frozen=True)
class Question:
    """One picture, one network, one setting."""

    picture: str
    network: str
    lam: str
    steps: int
    turned: bool = False  # asked by turning the slider: the page then shows the stage where that acts

    @property
    def link(self) -> dict[str, str]:
        """The query parameters of a page that asks it."""
        return {"picture": self.picture, "network": self.network, "lam": self.lam, "steps": str(self.steps)}


@dataclass(frozen=True)
class Answer:
    """What is seen of an answer: the sentence, the clean picture, and every changed pixel with its label."""

    story: str
    picture: str  # a PNG in a data URL
    labels: tuple[tuple[int, int, str], ...]  # row, column, kind

    @property
    def n_pixels(self) -> int:
        return len(self.labels)


def questions(visitor: int, moves: int, network: str, steps: int) -> list[Question]:
    """Of one visitor: a picture of their own, and for each move another setting; the page opens with the first."""
    pictures = [sample.name for sample in gallery()]
    stops = [STOPS[(visitor + move) % len(STOPS)] for move in range(moves)]
    picture = pictures[visitor % len(pictures)]
    return [Question(picture, network, stop, steps, turned=stop != DEFAULT) for stop in (DEFAULT, *stops)]


def seen_by(tab: Tab) -> Answer | None:
    """The answer that is in view once the page has settled; None where there is none."""
    if not tab.idle:
        return None
    shown = tab.component("pictures")
    stories = [each.body for each in tab.elements("heading") if "→" in each.body]
    if shown is None or not stories:
        return None
    labels = tuple((mark["row"], mark["col"], mark["kind"]) for mark in shown["marks"])
    return Answer(_plain(stories[0]), shown["images"]["before"], labels)


def clean_of(tab: Tab) -> str | None:
    """The clean picture that is in view, with or without an answer."""
    for key in ("clean", "pictures"):
        if shown := tab.component(key):
            return shown["images"]["before"]
    return None


@cache
def alone(question: Question) -> Answer:
    """What a lone run answers, computed here."""
    from explorer.ui.pictures import picture_url

    clf = _network(question.network)
    attack = SparseAttack(lam=float(question.lam), steps=question.steps)
    stage = "optimised" if question.turned else None
    found = explore(clf, find_sample(question.picture).image, attack, splits=0, stage=stage)
    pixels = found.evidence.pixels if found.evidence else ()
    labels = tuple((pixel.row, pixel.col, pixel.kind) for pixel in pixels)
    return Answer(_plain(found.story), picture_url(found.image), labels)


@cache
def _network(name: str):
    return load_classifier(name, device="cpu")


def same_answer(found: Answer, expected: Answer) -> str:
    """One of "equal", "close", where it still fools by as many pixels within one, and "wrong", where it is another's
    or worse.
    """
    if found == expected:
        return "equal"
    fools = "not fooled" not in found.story and "not reached" not in found.story
    close = abs(found.n_pixels - expected.n_pixels) <= 1 and found.picture == expected.picture
    return "close" if fools and close else "wrong"


def _plain(text: str) -> str:
    return text.replace("\\", "").replace("\u00a0", " ")
