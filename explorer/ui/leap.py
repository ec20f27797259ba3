"""Going to another page with everything that its address says, in one step of the browser's history.

st.switch_page writes the new query under the old page first, and what the page's controls then add are steps of their
own: Back would land on settings that nobody chose.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

GO = """
export default ({ data }) => {
  history.pushState({}, "", data.address);
  dispatchEvent(new PopStateEvent("popstate")); // Streamlit goes where the address says, as after Forward
}
"""


def leap(path: str, query: Mapping[str, str]) -> None:
    """Leave this page for that of `path`, relative to this one's; nothing that comes after this is done."""
    component = st.components.v2.component("leap", js=GO)
    component(key="leap", data={"address": f"{path}?{urlencode(query)}"})
    st.stop()
