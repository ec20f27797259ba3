"""The Compare page: does it carry over, against what else, and does a filter stop it?"""

import streamlit as st

from explorer.ui.compare.defences import show_defences
from explorer.ui.compare.transfer import show_transfer
from explorer.ui.compare.versus import show_versus
from explorer.ui.grid import leave
from explorer.ui.link import bound, tell_unmet
from explorer.ui.markdown import plain

SECTIONS = {
    "Transfer": ("Does it carry over to other networks?", show_transfer),
    "Versus": ("How few pixels, against what else?", show_versus),
    "Defences": ("Does a filter stop it?", show_defences),
}


def page() -> None:
    leave()
    bound("compare", SECTIONS)
    with st.container(key="head", horizontal=True, vertical_alignment="bottom"):
        title = st.container(width="content")
        section = st.segmented_control(
            "Compare", list(SECTIONS), default="Transfer", required=True, key="compare", bind="query-params"
        )
    question, show = SECTIONS[section]
    title.title(question, anchor=False)
    notes = st.container(key="notes")
    try:
        show()
    except (ValueError, RuntimeError) as error:  # a choice that is none, or weights that cannot be read
        st.error(plain(error))
    with notes:
        tell_unmet()


page()
