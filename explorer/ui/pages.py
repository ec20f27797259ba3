"""The pages by their files, as Streamlit asks for them: in the repository, and where the project is installed."""

from pathlib import Path

LESSON = str(Path(__file__).parents[1] / "views" / "lesson.py")
