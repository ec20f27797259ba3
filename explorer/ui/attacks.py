"""Which attack: chosen for Explore and Tune alike. Its name, and the names of its knobs, are in the link."""

import streamlit as st

from explorer.attacks import ATTACKS, Attack
from explorer.pipeline.address import name_of, prefix_of
from explorer.ui.link import link, linked

PARAMETER = "attack"
DEFAULTS = "Defaults"  # the preset of that name

__all__ = ["PARAMETER", "about", "choose_attack", "name_of", "prefix_of", "presets_of"]


def choose_attack(width: int | str = "stretch") -> str:
    """The name of the attack, a key of ATTACKS; the first one needs no link."""
    usual = next(iter(ATTACKS))
    name = st.session_state.attack_choice = linked(PARAMETER, ATTACKS, usual)
    st.selectbox(
        "Attack",
        list(ATTACKS),
        format_func=lambda each: ATTACKS[each].title,
        key="attack_choice",
        on_change=lambda: link(PARAMETER, st.session_state.attack_choice, usual),
        width=width,
    )
    return name


def presets_of(name: str) -> dict[str, Attack]:
    """The settings of an attack that have a name; the first are its defaults."""
    attack = ATTACKS[name]
    return {DEFAULTS: attack(), **{title: attack(**changes) for title, changes in attack.presets.items()}}


def about(name: str) -> str:
    """What an attack does and where it comes from, in one sentence."""
    attack = ATTACKS[name]
    return f"{attack.summary.removesuffix('.')} ({attack.source})."
