"""Whether a visitor is still there.

Streamlit 1.67 has no public event for a tab that is closed. What it has: the runtime forgets a session as soon as its
websocket is gone, and `Runtime.is_active_session` may be asked from any thread; it is used here only.
"""

from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def presence() -> Callable[[], bool]:
    """Of the visitor whose page is being made: a question that may be asked again and again, from any thread."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():  # no server: a test, say
        return lambda: True
    session = context.session_id
    return lambda: runtime.exists() and runtime.get_instance().is_active_session(session)
