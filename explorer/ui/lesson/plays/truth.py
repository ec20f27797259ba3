"""Is the label true? A drawn sign is known to the last stroke, so a label can be caught out."""

import numpy as np
import streamlit as st

from explorer.images import from_uint8
from explorer.palette import LOOKS
from explorer.samples import find_sample
from explorer.signs import CLASS_NAMES, GroundTruth, Scene, ground_truth, render
from explorer.types import PixelLabel
from explorer.ui.lesson.checks import Judged
from explorer.ui.lesson.desk import Desk
from explorer.ui.lesson.explored import explored
from explorer.ui.pictures import canvas
from explorer.ui.truth import painted


def play_truth(desk: Desk) -> Judged | None:
    """The attacked sign, the wrong sign in the same scene, and whose is what: a mark is chosen there."""
    sign, me = desk.choose_sign(), desk.sitting
    exploration = explored(desk.classifier(), sign)
    if exploration is None:
        return None
    sample = find_sample(sign)
    if exploration.evidence is None or exploration.label != sample.label:
        return Judged(None, possible=False)
    scene, wrong = Scene.sample(sample.meta["seed"]), exploration.adversarial_label
    truth = ground_truth(scene, sample.label, wrong)
    pixels = exploration.evidence.pixels
    judged = [judge(pixel, truth) for pixel in pixels]
    names = CLASS_NAMES[sample.label], CLASS_NAMES[wrong]
    images = {
        "after": exploration.adversarial,
        "other": from_uint8(render(wrong, scene)),
        "masks": from_uint8(painted(truth)),
    }
    panes = [
        {"title": "Attacked", "text": names[0], "shows": "after", "alt": f"The sign {names[0]}, attacked."},
        {"title": "The wrong sign", "text": f"{names[1]}, drawn there", "shows": "other", "alt": f"{names[1]} there."},
        {
            "title": "Whose is what",
            "shows": "masks",
            "marked": True,
            "alt": f"Blue ground: only {names[0]} has something there. Orange: only {names[1]}. Grey: both signs.",
        },
    ]
    of = f"{desk.network} {sign}"

    def pick(picked: tuple[int, ...], _add: bool, _lasso: bool) -> None:
        if picked:
            me.judged[of] = picked[0]

    chosen = me.judged.get(of)
    selected = () if chosen is None else (chosen,)
    hint = f"Blue ground: only {names[0]} has something there. Orange ground: only {names[1]}. Choose a mark."
    canvas(images, panes, pixels, selected, (), hint, "truth-board", pick, exploration.evidence.unit)
    holds = sum(each.on_true != each.on_wrong and each.on_true == (each.kind == "obscuring") for each in judged)
    fails = sum(each.on_true != each.on_wrong and each.on_true != (each.kind == "obscuring") for each in judged)
    with st.expander("Count them all"):
        st.markdown(
            f"Of {len(pixels)} labels the drawing confirms **{holds}**, contradicts **{fails}**, and is silent about "
            f"{len(pixels) - holds - fails}. A place counts if it is on the colour or one pixel beside it. "
            f"{LOOKS['obscuring'].sign} should lie on blue, {LOOKS['leading'].sign} on orange."
        )
    return Judged(None, possible=holds > 0) if chosen is None else judged[chosen]


def judge(pixel: PixelLabel, truth: GroundTruth) -> Judged:
    """Whose ground the pixel lies on, or one pixel beside it: a stroke is hardly wider than a pixel."""
    return Judged(pixel.kind, _near(truth.only_true, pixel), _near(truth.only_wrong, pixel))


def _near(mask: np.ndarray, pixel: PixelLabel) -> bool:
    rows, cols = (slice(max(0, at - 1), at + 2) for at in (pixel.row, pixel.col))
    return bool(mask[rows, cols].any())
