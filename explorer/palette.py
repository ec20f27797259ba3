"""What the two kinds of pixel look like, everywhere: by colour (Okabe-Ito, safe for colour-blind eyes) and by shape."""

from dataclasses import dataclass

from explorer.types import Kind


@dataclass(frozen=True)
class Look:
    """How one kind of pixel is drawn. A weak label is drawn hollow."""

    rgb: tuple[int, int, int]
    shape: str  # Plotly's name of the marker
    sign: str  # the same shape as a character, for text

    @property
    def css(self) -> str:
        return "rgb({}, {}, {})".format(*self.rgb)


LOOKS: dict[Kind, Look] = {
    "obscuring": Look((0, 114, 178), "circle", "●"),
    "leading": Look((230, 159, 0), "diamond", "◆"),
}

ACCENT = "rgb(124, 108, 224)"  # of neither kind: for curves and bars, readable on a light and on a dark page


def kind_text(kind: Kind, weak: bool = False) -> str:
    """The kind of a pixel in text: its sign and its name."""
    return f"{LOOKS[kind].sign} {kind}{' (weak)' if weak else ''}"
