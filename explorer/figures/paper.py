"""Figures for a paper, by Matplotlib: vectors over crisp pixels, text of 8 points or more, fonts inside the file.

The two kinds of pixel differ by colour (Okabe-Ito) and by shape, as on the page; a weak label is hollow. What a figure
says comes from outside (names of classes) and stands for itself: nothing in it is taken for a formula.
"""

import io
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from explorer.palette import LOOKS
from explorer.types import Kind, PixelLabel

Format = Literal["pdf", "svg", "png"]

COLUMN, PAGE = 3.3, 6.9  # widths in inches: of one column of a journal's page, and of the whole
SMALL, USUAL = 8, 9  # points
DPI = 300  # of the pictures, whose pixels are enlarged to it without smoothing
LONGEST = 26  # letters of a class's name
MARKERS = {"circle": "o", "diamond": "D"}
BEFORE, AFTER = "#999999", "#D55E00"  # Okabe-Ito's vermilion, which is neither kind's colour
STYLE = {
    "pdf.fonttype": 42,  # TrueType, as publishers ask for; Type 3 is refused by many
    "svg.fonttype": "path",
    "svg.hashsalt": "sparse-attack-explorer",  # the same figure is the same file
    "font.family": "DejaVu Sans",  # comes with Matplotlib
    "font.size": SMALL,
    "axes.titlesize": USUAL,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
    "savefig.dpi": DPI,
}
_one_at_a_time = threading.Lock()  # the settings belong to the process


@dataclass(frozen=True)
class Shown:
    """What the figures show."""

    before: np.ndarray  # (h, w, 3) uint8
    after: np.ndarray
    pixels: Sequence[PixelLabel]
    names: Sequence[str]  # of the likeliest classes
    shares_before: Sequence[float]  # their probabilities, 0 to 1
    shares_after: Sequence[float]
    seen_before: str  # what the network sees, in a few words
    seen_after: str
    unit: str = "logits"


def figure(name: str, shown: Shown, kind: Format) -> bytes:
    """The figure of this name, a key of FIGURES, as a file."""
    with _one_at_a_time, matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # it is drawn as a box
        drawn = FIGURES[name](shown)
        file = io.BytesIO()
        metadata = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}}.get(kind)
        drawn.savefig(file, format=kind, metadata=metadata)
        return file.getvalue()


def _alone(draw: Callable[[Axes, Shown], None], height: float) -> Callable[[Shown], Figure]:
    def make(shown: Shown) -> Figure:
        drawn = Figure(figsize=(COLUMN, height), layout="constrained")
        draw(drawn.subplots(), shown)
        return drawn

    return make


def _sheet(shown: Shown) -> Figure:
    """All of them, with letters to refer to."""
    drawn = Figure(figsize=(PAGE, 5.2), layout="constrained")
    above, below = drawn.subfigures(2, 1, height_ratios=[1.08, 1])
    axes = [*above.subplots(1, 3), *below.subplots(1, 2)]
    for letter, ax, draw in zip("abcde", axes, (_before, _after, _marks, _scatter, _bars), strict=True):
        draw(ax, shown)
        beside = draw in (_scatter, _bars)  # whose legend is where the pictures have room
        place = {"xytext": (-8 if beside else 0, 4), "ha": "right" if beside else "left", "va": "bottom"}
        place |= {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(f"({letter})", (0, 1), weight="bold", size=USUAL, **place)
    return drawn


def _picture(ax: Axes, pixels: np.ndarray, title: str, below: str = "") -> None:
    ax.imshow(pixels, interpolation="nearest")
    ax.set_title(title)
    ax.set_xlabel(below)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _before(ax: Axes, shown: Shown) -> None:
    _picture(ax, shown.before, "before", shown.seen_before)


def _after(ax: Axes, shown: Shown) -> None:
    _picture(ax, shown.after, "after", shown.seen_after)


def _marks(ax: Axes, shown: Shown) -> None:
    grey = shown.before.mean(2, keepdims=True).repeat(3, 2)
    n = len(shown.pixels)
    _picture(ax, (255 - 0.45 * (255 - grey)).astype(np.uint8), "changed pixels", _counted(shown.pixels))
    size = float(np.clip(40 - 0.15 * n, 6, 36))
    for kind, weak, members in _groups(shown.pixels):
        places = [pixel.col for pixel in members], [pixel.row for pixel in members]
        ax.scatter(*places, s=size, **_look(kind, weak), clip_on=False, zorder=3)


def _scatter(ax: Axes, shown: Shown) -> None:
    numbers = [0.0, *(number for pixel in shown.pixels for number in (pixel.obscuring, pixel.leading))]
    margin = 0.1 * (max(numbers) - min(numbers)) or 1.0
    extent = min(numbers) - margin, max(numbers) + margin
    ax.plot(extent, extent, color="#888888", linewidth=0.8, linestyle=":", zorder=1)
    for kind, weak, members in _groups(shown.pixels):
        places = [pixel.obscuring for pixel in members], [pixel.leading for pixel in members]
        ax.scatter(*places, s=30, **_look(kind, weak), zorder=3)
    ax.set(xlim=extent, ylim=extent, aspect="equal")
    ax.locator_params(nbins=5)
    ax.set_xlabel(f"obscuring, {shown.unit}")
    ax.set_ylabel(f"leading, {shown.unit}")
    handles = [Line2D([], [], linestyle="", markersize=5, label=kind, **_line_look(kind)) for kind in LOOKS]
    if any(pixel.weak for pixel in shown.pixels):
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=5, label="weak", mfc="white", mec="#555555"))
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, handletextpad=0.2)


def _bars(ax: Axes, shown: Shown) -> None:
    places = np.arange(len(shown.names))
    for offset, shares, colour, hatch, label in (
        (-0.2, shown.shares_before, BEFORE, "", "before"),
        (0.2, shown.shares_after, AFTER, "////", "after"),
    ):
        look = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        bars = ax.barh(places + offset, [100 * share for share in shares], 0.38, label=label, **look)
        ax.bar_label(bars, [f"{100 * share:.1f}" for share in shares], padding=2, fontsize=SMALL)
    ax.set_yticks(places, [_short(name) for name in shown.names])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlim(0, 118)
    ax.set_xticks([0, 25, 50, 75, 100])
    ax.set_xlabel("probability, %")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, handlelength=1.4)


FIGURES: dict[str, Callable[[Shown], Figure]] = {
    "before": _alone(_before, 3.6),
    "after": _alone(_after, 3.6),
    "marks": _alone(_marks, 3.6),
    "scatter": _alone(_scatter, 3.3),
    "bars": _alone(_bars, 2.6),
    "sheet": _sheet,
}


def _groups(pixels: Sequence[PixelLabel]) -> list[tuple[Kind, bool, list[PixelLabel]]]:
    """The pixels by what they look like; those that are drawn last are seen best."""
    every = [(kind, weak) for weak in (True, False) for kind in LOOKS]
    return [
        (kind, weak, found)
        for kind, weak in every
        if (found := [pixel for pixel in pixels if (pixel.kind, pixel.weak) == (kind, weak)])
    ]


def _look(kind: Kind, weak: bool) -> dict[str, Any]:
    colour = _colour(kind)
    look = {"marker": MARKERS[LOOKS[kind].shape], "linewidths": 1.1 if weak else 0.6}
    return look | {"facecolors": "white" if weak else colour, "edgecolors": colour if weak else "white"}


def _line_look(kind: Kind) -> dict[str, Any]:
    return {"marker": MARKERS[LOOKS[kind].shape], "color": _colour(kind)}


def _colour(kind: Kind) -> str:
    return "#{:02x}{:02x}{:02x}".format(*LOOKS[kind].rgb)


def _counted(pixels: Sequence[PixelLabel]) -> str:
    return ", ".join(f"{sum(pixel.kind == kind for pixel in pixels)} {kind}" for kind in LOOKS) if pixels else ""


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
