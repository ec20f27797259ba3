"""The interactive explorer of sparse adversarial attacks: `streamlit run app.py`.

Streamlit imports this file once, as the server starts, and then runs it for every page.
"""

import os
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util

# Before torch is loaded. Its threads must not spin while they wait: where other work shares the cores, spinning made an
# attack twenty times slower. Half of the cores are left to the pages: with both of two, a run took half as long again.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
# Each of torch's short steps lets go of Python's lock and asks for it again: it waits so long while a page is made.
sys.setswitchinterval(0.0001)

# Streamlit would ask a service on the internet for this computer's address, to compare it with that of a strange page.
net_util.get_external_ip = lambda: None

from explorer.ui.garbage import collect_soon  # noqa: E402, late: it loads torch
from explorer.ui.leaving import Leaving, arrive  # noqa: E402
from explorer.ui.markdown import plain  # noqa: E402
from explorer.ui.server import VIEWS, check_settings, ready  # noqa: E402
from explorer.ui.stepping import put_back, remember  # noqa: E402
from explorer.ui.turns import turns  # noqa: E402

ASSETS = Path(__file__).parent / "assets"


def page() -> None:
    """One page in the frame of all."""
    st.set_page_config(
        page_title="Sparse attack explorer",
        page_icon=str(ASSETS / "icon.png"),
        layout="wide",
        menu_items={"About": "Which handful of pixels changes a network's mind, and why."},
    )
    st.html(ASSETS / "style.css")
    st.logo(ASSETS / "logo.svg", size="large")
    chosen = st.navigation(
        [
            st.Page(VIEWS / "explore.py", title="Explore", url_path="explore", default=True),
            st.Page(VIEWS / "ground_truth.py", title="Ground truth", url_path="truth"),
            st.Page(VIEWS / "compare.py", title="Compare", url_path="compare"),
            st.Page(VIEWS / "dataset.py", title="Data set", url_path="dataset"),
            st.Page(VIEWS / "tune.py", title="Tune", url_path="tune"),
            st.Page(VIEWS / "experiments.py", title="Experiments", url_path="experiments"),
            st.Page(VIEWS / "lesson.py", title="Lesson", url_path="lesson"),
            st.Page(VIEWS / "games.py", title="Games", url_path="games"),
            st.Page(VIEWS / "room.py", title="Room", url_path="room"),
        ],
        position="top",
    )
    put_back(chosen.url_path)
    waiting = st.empty()  # its place is kept in every run, so that nothing below it moves
    if chosen.title == "Explore" and "session" not in st.session_state:
        waiting.html(ASSETS / "skeleton.html")  # at once: others may have their turn first
    try:
        check_settings()
    except ValueError as error:
        st.error(plain(error))
        return
    arrive()
    collect_soon()
    try:
        with turns.place():
            chosen.run()
    finally:
        remember(chosen.url_path)
        waiting.empty()  # a page may end with nothing to show but a form


if __name__ == "__main__":
    page()
else:
    app = st.App(__file__, lifespan=ready, middleware=[Middleware(Leaving)])
