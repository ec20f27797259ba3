"""Settings in the address bar that no widget binds by itself: the link restores them, defaults are left out."""

from collections.abc import Collection

import streamlit as st


def linked(name: str, allowed: Collection[str], default: str) -> str:
    """What the address says, or the default where it says nothing that is allowed."""
    value = st.query_params.get(name, default)
    return value if value in allowed else default


def unlink(name: str) -> None:
    """Take a setting out of the address."""
    if name in st.query_params:
        del st.query_params[name]


def link(name: str, value: str, default: str) -> None:
    """Put a setting into the address."""
    if value == default:
        unlink(name)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
