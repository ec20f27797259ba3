"""The one store of rooms of this server."""

import streamlit as st

from explorer.rooms import Rooms
from explorer.samples import gallery


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """All visitors share it; it is gone when the server ends."""
    return Rooms({sample.name for sample in gallery()})
