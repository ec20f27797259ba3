"""Settings in the address bar that no widget binds by itself: the link restores them, defaults are left out."""

from collections.abc import Collection

import streamlit as st


def linked(name: str, allowed: Collection[str], default: str) -> str:
    """What the address says, or the default where it says nothing that is allowed."""
    value = st.query_params.get(name, default)
    return value if value in allowed else default


def link(name: str, value: str, default: str) -> None:
    """Put a setting into the address."""
    if value != default:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
