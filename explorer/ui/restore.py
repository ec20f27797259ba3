"""A picture that remembers how it was attacked, uploaded: its settings are put back, before the page is drawn."""

import streamlit as st

from explorer.attacks import ATTACKS
from explorer.classifiers import DEFAULT
from explorer.knobs import exactly, knobs
from explorer.limits import limits
from explorer.pipeline import Settings, settings_of
from explorer.ui import classes, networks, regions, stages
from explorer.ui.attacks import PARAMETER as ATTACK
from explorer.ui.attacks import name_of, prefix_of
from explorer.ui.controls import keep_stop, nearest
from explorer.ui.link import link, unlink
from explorer.ui.markdown import plain
from explorer.ui.own_pictures import OwnPicture, keep_beside, let_go, uploaded


def restore_upload() -> None:
    """Files were uploaded: what the newest of them remembers is put back, and it is shown."""
    st.session_state.restored = None
    let_go("upload")
    keep_beside(False)
    known = {picture.id for picture in uploaded()}
    for file in st.session_state.upload:
        if file.file_id in known or file.size > limits().picture_mb * 2**20:
            continue
        content = file.getvalue()
        try:
            settings = settings_of(content)
            if settings is not None:
                others = put(settings)
                st.session_state.own_chosen = OwnPicture(file).name
                instead = f"; the nearest that can be is used for {', '.join(others)}" if others else ""
                st.session_state.restored = True, f"{file.name} has put its settings back{instead}."
        except ValueError as error:
            st.session_state.restored = False, f"{file.name}: {error}"


def tell_restored() -> None:
    """What came of it."""
    if told := st.session_state.get("restored"):
        (st.caption if told[0] else st.error)(plain(told[1]))


def put(settings: Settings) -> list[str]:
    """Put the controls, before they are drawn; those that cannot be put exactly there."""
    name, others = name_of(settings.attack), []
    link(networks.PARAMETER, settings.network, DEFAULT)
    link(ATTACK, name, next(iter(ATTACKS)))
    for knob in knobs(settings.attack).values():
        value = getattr(settings.attack, knob.name)
        keep_stop(knob, value, prefix_of(name))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        put = nearest(knob, value) if number else value
        st.session_state[prefix_of(name) + knob.name] = put
        if put != value:
            others.append(f"{knob.label} ({exactly(put)} for {exactly(value)})")
    stages.show_last()
    link(stages.PARAMETER, stages.OWN if settings.optimised else "", "")
    st.session_state.method = settings.method
    st.session_state.target = settings.target or classes.ANY_CLASS
    st.session_state.true_class_of = (
        settings.picture,
        settings.network,
    )  # what is said is not about another picture
    link(classes.PARAMETER, settings.true or classes.GUESSED, classes.GUESSED)
    unlink("resize")
    if settings.region is None:
        regions.allow_everywhere()
    else:
        st.session_state.where = regions.INSIDE
        link(regions.PARAMETER, settings.region.text, "")
    return others
