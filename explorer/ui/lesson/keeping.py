"""The tab itself keeps which steps were solved in it: loaded anew, or after the app's new start, it knows them."""

from typing import Any

import streamlit as st

from explorer.ui.lesson.sitting import Sitting

KEY = "kept-solved"
SCRIPT = """
export default function ({ data, setTriggerValue }) {
  const name = "sparse-attack-explorer.solved";
  const kept = JSON.parse(sessionStorage.getItem(name) ?? "[]");
  const all = [...new Set([...data.solved, ...kept])].sort();
  sessionStorage.setItem(name, JSON.stringify(all));
  if (all.length > data.solved.length) setTriggerValue("solved", all);
}
"""


def keep_solved(me: Sitting, steps: int) -> None:
    """Let the tab keep what was solved of so many steps, and hear from it what was solved before. Nothing is shown."""
    component = st.components.v2.component("kept_solved", js=SCRIPT)

    def heard() -> None:
        me.solved |= known(st.session_state[KEY].solved, steps)

    component(key=KEY, data={"solved": sorted(me.solved)}, on_solved_change=heard)


def known(told: Any, steps: int) -> set[int]:
    """The steps that a browser told of, which may tell anything."""
    return {each for each in told if type(each) is int and 1 <= each <= steps} if isinstance(told, list) else set()
