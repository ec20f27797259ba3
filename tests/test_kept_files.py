"""What a person has in a file is not written over by another program's table, and a file that cannot be written is said
before any work.
"""

import csv
import json
from pathlib import Path

import pytest
from test_cli import MODEL, refused, run

QUICK = ["--device", "cpu", "--n", "1"]
TABLES = {
    "sweep": ["--model", "signs-cnn", *QUICK, "--steps", "5"],
    "bench": ["--model", "signs-cnn", *QUICK, "--attacks", "sparse-5-bare", "--repeats", "0"],
    "defend": ["--model", "signs-cnn", *QUICK, "--defences", "median"],
    "transfer": ["--models", "signs-cnn,signs-vit", *QUICK],
    "evidence": ["--model", "signs-cnn", *QUICK],
    "attention": ["--model", "signs-vit", *QUICK],
    "experiment": ["width", "--model", "signs-cnn", *QUICK],
    "tune": ["--model", "signs-cnn", *QUICK, "--trials", "1", "--check", "0"],
}


@pytest.mark.parametrize("command", TABLES)
def test_somebody_elses_table_is_not_written_over(command, tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_text("name,mark\nAda,1\n")
    line = refused(run(command, *TABLES[command], "--out", str(path)), capsys)
    assert "name another file, or move it away" in line
    assert path.read_text() == "name,mark\nAda,1\n"


@pytest.mark.parametrize("command", TABLES)
def test_a_place_where_nothing_can_be_written_is_said_first(command, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    line = refused(run(command, *TABLES[command], "--out", str(tmp_path / "file" / "table.csv")), capsys)
    assert "--out must be a file in a folder" in line


def test_a_folder_that_can_only_be_read_is_said_first(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, _mode: path != tmp_path)
    line = refused(run("bench", *TABLES["bench"], "--out", str(tmp_path / "table.csv")), capsys)
    assert f"{tmp_path} can only be read" in line
    assert "--out must be a file" in refused(run("bench", *TABLES["bench"], "--out", "/"), capsys)


@pytest.mark.parametrize("command", ["sweep", "bench"])
def test_its_own_table_is_written_again_and_so_is_an_empty_file(command, tmp_path):
    (tmp_path / "table.csv").touch()
    for _ in range(2):
        assert run(command, *TABLES[command], "--out", str(tmp_path / "table.csv")) == 0
    assert (tmp_path / "table.csv").stat().st_size


def test_a_device_is_written_into_and_a_link_is_followed(tmp_path):
    assert run("bench", *TABLES["bench"], "--out", "/dev/null") == 0
    assert not Path("/dev/null").is_file()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "table.csv")
    assert run("bench", *TABLES["bench"], "--out", str(link)) == 0
    assert link.is_symlink()
    assert (tmp_path / "table.csv").is_file()


@pytest.mark.parametrize(("name", "content"), [("result.json", '{"marks": 1}'), ("pixels.csv", "name,mark\n")])
def test_somebody_elses_files_are_not_written_over(name, content, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    line = refused(run("attack", "stop-1", *MODEL, "--steps", "5", "--out", str(tmp_path)), capsys)
    assert f"{name} is not of a run of this command" in line
    assert (tmp_path / name).read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/below"):
        line = refused(run("attack", "stop-1", *MODEL, "--steps", "5", "--out", str(tmp_path / out)), capsys)
        assert "[Errno" not in line
        assert str(tmp_path / out) in line


def test_a_value_that_is_given_twice_is_tried_once(tmp_path):
    path = tmp_path / "table.csv"
    given = ["--model", "signs-cnn,signs-cnn", *QUICK, "--steps", "5", "--lam", "1,2,1", "--out", str(path)]
    assert run("sweep", *given) == 0
    with path.open(newline="") as file:
        assert [row["lam"] for row in csv.DictReader(file)] == ["1.0", "2.0"]


def test_where_both_settings_fool_nothing_they_are_not_compared(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("explorer.studies.tuning.recommendation.Difference.between", nothing)
    out = tmp_path / "tuned.json"
    given = ["--n", "1", "--check", "1", "--trials", "1", "--steps", "5", "--storage", f"sqlite:///{tmp_path}/t.db"]
    assert run("tune", *MODEL, *given, "--out", str(out)) == 0
    assert "They are not comparable: no picture was fooled with both." in capsys.readouterr().out
    checked = json.loads(out.read_text(), parse_constant=pytest.fail)["checked_on"]
    assert (checked["difference"], checked["half_width"], checked["verdict"]) == (None, None, "not comparable")


def nothing(_one, _other):
    from explorer.studies.tuning import Difference

    return Difference(float("nan"), float("inf"), 0)
