"""The hero: before, after and the changed pixels side by side, crisp, with one cross-hair in all three.

An inline component: pointing compares a pixel in the pictures, clicking marks or dragging around them reports them,
and it zooms. All of it works by keyboard as well.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.images import to_png
from explorer.palette import LOOKS
from explorer.pipeline import Exploration, Film, Ghost, percent
from explorer.regions import Corner, Region
from explorer.types import Image, PixelLabel
from explorer.ui.pictures.outline import outline

HERE = Path(__file__).parent


Pick = Callable[[tuple[int, ...], bool, bool], None]
Draw = Callable[[Sequence[Corner], bool], None]

HINT = (
    "Point at a pixel to compare it in all three pictures. Click a mark, or drag around several, to follow them below."
)
LOOKING_HINT = "Point at a pixel to compare it in all three pictures."
DRAWING_HINT = "Draw a region: drag around a part of the picture called Before. Hold Shift to add to what is drawn."


def pictures(
    exploration: Exploration,
    selected: Collection[int],
    key: str,
    on_pick: Pick | None,
    region: Region | None = None,
    on_draw: Draw | None = None,
    ghost: Ghost | None = None,
    film: Film | None = None,
) -> None:
    """Show the three pictures. `on_pick`, if any, gets the indices of the changed pixels that were clicked, whether
    they join the others (Shift), and whether they were enclosed. `region` is outlined. With `on_draw`, one draws on the
    picture before: it gets the corners (x, y) of what was drawn, in pixels, and whether that is added to the region.
    `ghost`: what became of the pixels of the run before. `film`: plays over them, once.
    """
    names, pixels = exploration.class_names, exploration.evidence.pixels if exploration.evidence else ()
    before = f"{names[exploration.label]}, {percent(exploration.before[exploration.label])}"
    after = f"{names[exploration.adversarial_label]}, {percent(exploration.after[exploration.adversarial_label])}"
    counts = {kind: sum(pixel.kind == kind for pixel in pixels) for kind in LOOKS}
    height, width = exploration.image.shape[1:]
    allowed = "" if region is None else f" Only {region.told} in the outlined region may change."
    panes = [
        {
            "title": "Before",
            "text": before,
            "shows": "before",
            "draws": on_draw is not None,
            "alt": f"The clean picture, {width} by {height} pixels. The network sees: {before}.{allowed}",
        },
        {
            "title": "After",
            "text": after,
            "shows": "after",
            "alt": f"The picture with {exploration.n_pixels} changed pixels. The network sees: {after}.",
        },
        {
            "title": "Changed pixels",
            "shows": "after",
            "marked": True,
            "pale": True,
            "alt": "Where the changed pixels are: "
            + ", ".join(f"{n} {kind}" for kind, n in counts.items())
            + ("." if ghost is None else f". {ghost.told}"),
        },
    ]
    unit = exploration.evidence.unit if exploration.evidence else ""
    images = {"before": exploration.image, "after": exploration.adversarial}
    hint = HINT if ghost is None else ghost.told
    if on_pick is None or on_draw is not None:
        hint = LOOKING_HINT if on_pick is None else DRAWING_HINT
    reel = None
    if film is not None:
        seen = {"before": names[exploration.label], "after": names[exploration.adversarial_label]}
        reel = {"frames": film_frames(film), "clean": picture_url(exploration.image), **seen}
    canvas(
        images, panes, pixels, selected, (), hint, key, on_pick, unit,
        region=region, on_draw=on_draw, ghost=ghost, reel=reel,
    )  # fmt: skip


def canvas(
    images: Mapping[str, Image],
    panes: Sequence[dict],
    pixels: Sequence[PixelLabel],
    selected: Collection[int],
    off: Collection[int],
    hint: str,
    key: str,
    on_pick: Pick | None,
    unit: str = "logits",
    toggles: bool = False,
    region: Region | None = None,
    on_draw: Draw | None = None,
    ghost: Ghost | None = None,
    reel: dict | None = None,
) -> None:
    """Panes side by side, with one cursor. Each `shows` one of `images`, which are of one size; the first two of these
    are compared wherever one points, under their names. Marks are on the panes that are `marked`; pixels in `off` are
    drawn as put back. A mark that is picked is selected, or with `toggles` put back or changed again; without `on_pick`
    none can be picked. `on_draw` hears of what is drawn on the panes that say `draws`. With a `ghost`, pixels that
    the run before changed and this one does not are hollow, and those that are new have a ring. The film on the `reel`
    plays once over the panes that do not show the clean picture.
    """
    height, width = next(iter(images.values())).shape[1:]
    component = st.components.v2.component("pictures", html=_read("html"), css=_read("css"), js=_read("js"))

    def picked() -> None:
        pick = st.session_state[key].pick
        if pick is not None and on_pick is not None:
            on_pick(tuple(i for i in pick["pixels"] if 0 <= i < len(pixels)), pick["add"], pick["lasso"])

    def drawn() -> None:
        draw = st.session_state[key].draw
        if draw is not None and on_draw is not None:
            on_draw(draw["corners"], draw["add"])

    data = {
        "height": height,
        "width": width,
        "images": {name: picture_url(image) for name, image in images.items()},
        "compared": list(images)[:2],
        "panes": list(panes),
        "region": "" if region is None else outline(region),
        "hint": hint,
        "unit": unit,
        "picks": on_pick is not None,
        "toggles": toggles,
        "legend": [
            {
                "kind": kind,
                "count": sum(pixel.kind == kind for pixel in pixels),
                "shape": look.shape,
                "colour": look.css,
            }
            for kind, look in LOOKS.items()
        ],
        "marks": [
            {
                "row": pixel.row,
                "col": pixel.col,
                "kind": pixel.kind,
                "weak": pixel.weak,
                "off": index in off,
                "came": ghost is not None and (pixel.row, pixel.col) in ghost.came,
                "obscuring": pixel.obscuring,
                "leading": pixel.leading,
            }
            for index, pixel in enumerate(pixels)
        ],
        "went": [] if ghost is None else sorted(ghost.went),
        "selected": sorted(selected),
        "film": reel,
    }
    component(key=key, data=data, on_pick_change=picked, on_draw_change=drawn)


def film_frames(film: Film) -> list[dict]:
    """The frames of a film as the browser reads them: of each its changed pixels and their colours."""
    return [
        {
            "stage": frame.stage,
            "step": frame.step,
            "margin": margin,
            "where": base64.b64encode(frame.where.astype("<i4").tobytes()).decode(),
            "colours": base64.b64encode(frame.colours.tobytes()).decode(),
        }
        for frame, margin in zip(film.frames, film.margins, strict=True)
    ]


def picture_url(image: Image) -> str:
    """The picture as a PNG in a data URL."""
    return "data:image/png;base64," + base64.b64encode(to_png(image)).decode()


@cache
def _read(kind: str) -> str:
    return (HERE / f"pictures.{kind}").read_text(encoding="utf-8")
