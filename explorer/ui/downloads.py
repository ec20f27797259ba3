"""The run as files, to keep or to take elsewhere. Each is made when its button is pressed."""

import json

import streamlit as st

from explorer.images import to_png
from explorer.pipeline import Exploration, overlay, paper_kit, pixels_csv, report, restorable, snippet
from explorer.pipeline.paper import HOME
from explorer.ui.link import address

HELP = {
    "Restore file": "The clean picture with its settings inside. Uploaded here, it puts back both, also of a "
    "picture that no link can hold.",
    "Paper kit": "Figures as PDF and SVG, a LaTeX table, a caption, a citation, all settings, and the program that "
    "makes the result again. It takes some seconds.",
}


def offer_downloads(exploration: Exploration, device: str, uploaded: bool) -> None:
    """One button per file; the snippet, for the `device` of the run, expects the clean picture under the name it is
    downloaded by. Neither it nor the restore file is there for a network that was `uploaded`, which is not found by
    its name.
    """
    query, home = address(), (st.context.url or HOME).partition("?")[0].rstrip("/") + "/"
    kind_of_device = device.partition(":")[0]
    pixels = exploration.evidence.pixels if exploration.evidence else ()
    files = {
        "Clean picture": ("picture.png", "image/png", lambda: to_png(exploration.image)),
        "Adversarial picture": ("adversarial.png", "image/png", lambda: to_png(exploration.adversarial)),
        "Overlay": ("overlay.png", "image/png", lambda: to_png(overlay(exploration.adversarial, pixels))),
        "Pixels": ("pixels.csv", "text/csv", lambda: pixels_csv(exploration.evidence)),
        "Result": ("result.json", "application/json", lambda: json.dumps(report(exploration), indent=1)),
        "Python": ("reproduce.py", "text/x-python", lambda: snippet(exploration, device=kind_of_device)),
        "Restore file": ("restore.png", "image/png", lambda: restorable(exploration)),
        "Paper kit": ("paper.zip", "application/zip", lambda: paper_kit(exploration, query, home, kind_of_device)),
    }
    if uploaded:
        del files["Python"], files["Restore file"]
    with st.container(key="downloads", horizontal=True):
        for label, (name, mime, make) in files.items():
            kind = name.rpartition(".")[2].upper()
            st.download_button(
                f"{label} ({kind})", make, name, mime, on_click="ignore", key=f"download-{name}", help=HELP.get(label)
            )
