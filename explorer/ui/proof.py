"""The proof: every other method's vote, every check, and the maps, when somebody asks for them."""

from functools import partial

import pandas as pd
import streamlit as st

from explorer.classifiers import Classifier
from explorer.evidence import MAPS, METHODS, Examination, class_maps, examine
from explorer.figures import order_curve, signed_map
from explorer.images import enlarge
from explorer.jobs import Job
from explorer.palette import kind_text
from explorer.pipeline import Exploration
from explorer.types import Image
from explorer.ui import words
from explorer.ui.caches import valid_methods
from explorer.ui.evidence import QUIET, pick_points, pixel_table
from explorer.ui.markdown import plain
from explorer.ui.pictures import picture_url
from explorer.ui.session import PROOF, session
from explorer.ui.work import advance, result_of

UNDER = 384  # pixels of the picture's side below a map, about


def show_proof(exploration: Exploration, clf: Classifier) -> None:
    """Two expanders: the checks, and where the network looks."""
    with st.expander("The whole proof: all methods, all checks", key="proof", on_change="rerun") as proof:
        if proof.open:
            _examination(exploration, clf)
    with st.expander("Where the network looks: maps", key="maps", on_change="rerun") as maps:
        if maps.open:
            _maps(exploration, clf)


def _pair(exploration: Exploration, clf: Classifier) -> tuple[Image, Image, int]:
    return exploration.image.to(clf.device), exploration.adversarial.to(clf.device), exploration.label


def _examination(exploration: Exploration, clf: Classifier) -> None:
    if exploration.evidence is None:
        st.caption(exploration.unlabelled)
        return

    def work(job: Job, twin: Classifier) -> Examination:
        return examine(twin, *_pair(exploration, twin), exploration.evidence.method, on_progress=partial(advance, job))

    found: Examination | None = result_of(PROOF, clf, work)
    if found is None:
        return
    st.markdown("###### What the other methods vote for")
    pixel_table(_votes(found), key="votes", alt="One row per changed pixel, one column per other method: its kind.")
    st.caption(
        "Methods that look for change share out what the change did. Those that draw maps, such as occlusion, Grad-CAM "
        "and attention, only see where evidence lies, and are coarse. "
        + " ".join(f"{METHODS[name].title} has no vote: {why}." for name, why in found.not_valid.items())
    )
    st.markdown("\n".join(f"- {sentence}" for sentence in words.examination_sentences(found)))
    left, right = st.columns(2, gap="medium")
    for column, title, curve, does in (
        (left, "Deletion: put back", found.deletion, "put back into the attacked picture"),
        (right, "Insertion: change", found.insertion, "changed in the clean picture"),
    ):
        with column:
            st.markdown(f"###### {title} the most important first")
            st.plotly_chart(
                order_curve(curve.scored, curve.random, does),
                key=f"curve-{does}",
                config=QUIET,
                alt=f"{title} pixel by pixel: the order of the numbers is {100 * curve.advantage:.0f} % below random.",
            )


def _votes(found: Examination) -> pd.DataFrame:
    rows = []
    for index, pixel in enumerate(found.evidence.pixels):
        votes = {METHODS[name].title: kind_text(kinds[index]) for name, kinds in found.others.items()}
        rows.append(
            {
                "row": pixel.row,
                "column": pixel.col,
                "label": kind_text(pixel.kind, pixel.weak),
                "others agree": f"{found.agreeing(index)} of {len(found.others)}",
                "reverting": kind_text(pixel.reversal_kind),
                **votes,
            }
        )
    return pd.DataFrame(rows)


def _grey(image: Image) -> str:
    """The picture without its colours, which are the map's, paler, and crisp when enlarged."""
    return picture_url(
        enlarge(0.35 + 0.65 * image.mean(0, keepdim=True).expand(3, -1, -1), max(1, UNDER // image.shape[1]))
    )


def _maps(exploration: Exploration, clf: Classifier) -> None:
    if exploration.evidence is None:
        st.caption(exploration.unlabelled)
        return
    valid = valid_methods(clf)
    names = [name for name in MAPS if name in valid]
    name = st.segmented_control(
        "Method", names, default=names[0], required=True, format_func=lambda each: METHODS[each].title, key="map"
    )
    maps = result_of(f"map-{name}", clf, lambda _job, twin: class_maps(twin, *_pair(exploration, twin), name))
    if maps is None:
        return
    me, pixels = session(), exploration.evidence.pixels
    limit = float(maps.abs().max()) or 1.0
    classes = (exploration.label, exploration.evidence.adversarial_label)
    under = {"clean": exploration.image, "attacked": exploration.adversarial}
    for column, values, label, which in zip(st.columns(2), maps.numpy(), classes, under, strict=True):
        with column:
            seen = exploration.class_names[label] if MAPS[name].of_class else "Every class"
            st.markdown(f"###### {plain(seen)} on the {which} picture")
            st.plotly_chart(
                signed_map(
                    values, limit, pixels, me.selected, MAPS[name].unit, exploration.evidence.unit, _grey(under[which])
                ),
                key=f"map-{which}",
                on_select=lambda which=which: pick_points(f"map-{which}"),
                selection_mode="points",
                config=QUIET,
                alt=f"{METHODS[name].title} for {seen} on the {which} picture, "
                f"from {values.min():.3f} to {values.max():.3f}.",
            )
    st.caption(
        f"{MAPS[name].reading}. The picture is below it in grey. Raw values; the scale is the same in "
        f"both maps, from −{limit:.3g} to {limit:.3g}. Every picture and method has its own scale, so compare colours "
        "only where these limits are the same. Point at a place for its value; the outlines are the changed pixels."
    )
