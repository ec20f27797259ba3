"""Which attack: chosen for Explore and Tune alike. Its name, and the names of its knobs, are in the link."""

import streamlit as st

from explorer.attacks import ATTACKS, Attack
from explorer.ui.link import link, linked

PARAMETER = "attack"
DEFAULTS = "Defaults"  # the preset of that name


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


def prefix_of(name: str) -> str:
    """What stands before the names of an attack's knobs in the link and among the controls, so that two attacks can
    have knobs of one name: nothing for the first attack, `greedy.` for greedy.
    """
    return "" if name == next(iter(ATTACKS)) else f"{name}."


def presets_of(name: str) -> dict[str, Attack]:
    """The settings of an attack that have a name; the first are its defaults."""
    attack = ATTACKS[name]
    return {DEFAULTS: attack(), **{title: attack(**changes) for title, changes in attack.presets.items()}}


def about(name: str) -> str:
    """What an attack does and where it comes from, in one sentence."""
    attack = ATTACKS[name]
    return f"{attack.summary.removesuffix('.')} ({attack.source})."


def name_of(attack: Attack) -> str:
    """Its name in ATTACKS."""
    return next(name for name, kind in ATTACKS.items() if kind is type(attack))
