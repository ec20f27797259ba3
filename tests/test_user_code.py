"""A person's own Python, as a program that runs for long sees it: such as a worker of a cluster, or a server."""

import sys

import pytest

from explorer import user_code


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_a_file_that_was_changed_is_read_again_and_one_that_was_not_is_not(tmp_path):
    file = tmp_path / "answers_of_a_person.py"
    file.write_text("made = object()\n\ndef answer():\n    return 1, made\n")
    one, made = user_code.call(f"{file}:answer")
    assert (one, user_code.call(f"{file}:answer")[1]) == (1, made)
    file.write_text("made = object()\n\ndef answer():\n    return 2, made\n")
    two, anew = user_code.call(f"{file}:answer")
    assert two == 2
    assert anew is not made
    file.write_text("def answer(:\n")
    with pytest.raises(ValueError, match="SyntaxError"):
        user_code.call(f"{file}:answer")
    file.write_text("def answer():\n    return 3\n")
    assert user_code.call(f"{file}:answer") == 3
