"""What `python -m explorer dataset` has measured once, on new road signs: the page opens with it."""

from functools import cache

import pandas as pd
import streamlit as st

from explorer.attacks import SparseAttack
from explorer.classifiers import CLASSIFIERS, DEFAULT
from explorer.folders import ASSETS
from explorer.samples import find_sample
from explorer.studies.dataset import read_frame
from explorer.ui.dataset.gallery import Shelf
from explorer.ui.dataset.show import show
from explorer.ui.grid import go_to

FILE = ASSETS / "dataset" / f"{DEFAULT}.csv"


def show_measured() -> None:
    """Before anything is attacked here: the command's table, in every view."""
    table = measured()
    st.markdown(f"##### Measured before: {len(table)} new road signs, the default attack, {CLASSIFIERS[DEFAULT].title}")
    shelf = Shelf(
        lambda row: find_sample(row["picture"]).image, lambda row: go_to(SparseAttack(), DEFAULT, row["picture"])
    )
    show(table, (), shelf)


@cache
def measured() -> pd.DataFrame:
    """From its file, the network called as on the page; no times, which are another computer's."""
    unknown = float("nan")
    return read_frame(FILE).assign(network=CLASSIFIERS[DEFAULT].title, seconds=unknown, label_seconds=unknown)
