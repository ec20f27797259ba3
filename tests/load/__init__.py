"""Many visitors at once: `python -m tests.load` drives the app over Streamlit's own protocol and compares answers."""
