"""`attack FOLDER`: every picture, one table, and nothing that is done twice."""

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli import refused, run

from explorer.classifiers.bundled import ASSETS
from explorer.images import from_uint8, load_image, to_png, to_uint8
from explorer.pipeline import FILES, TABLE, archive, collection
from explorer.pipeline.collection import COLUMNS, folder_names, table_csv
from explorer.samples import find_sample

QUICK = ["--model", "signs-cnn", "--device", "cpu", "--steps", "20", "--no-polish"]


def sign(name: str) -> bytes:
    return (ASSETS / "samples" / f"{name}.png").read_bytes()


def attack(folder: Path, out: Path, *options: str) -> int:
    return run("attack", str(folder), *QUICK, "--out", str(out), *options)


def table(out: Path) -> dict[str, dict[str, str]]:
    with (out / TABLE).open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def write(folder: Path, **pictures: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, of in pictures.items():
        (folder / f"{name}.png").write_bytes(sign(of))
    return folder


@pytest.fixture
def attacks(monkeypatch) -> list:
    """What was attacked, in order."""
    made, explore = [], collection.explore

    def counted(clf, image, *args, **kwargs):
        made.append(image)
        return explore(clf, image, *args, **kwargs)

    monkeypatch.setattr(collection, "explore", counted)
    return made


def test_every_picture_has_its_files_and_a_row_and_a_bad_one_does_not_stop_the_others(tmp_path, capsys):
    folder = write(tmp_path / "mixed pictures 🛑", **{"a b": "yield-1", "ünï 🚦": "no-entry-1"})
    (folder / "Speed limit 30").mkdir()
    (folder / "Speed limit 30" / "a b.png").write_bytes(sign("speed-limit-30-1"))
    (folder / "holiday").mkdir()
    (folder / "holiday" / "1.png").write_bytes(sign("stop-2"))
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"hello")
    assert attack(folder, tmp_path / "out") == 2
    out, err = capsys.readouterr()
    rows = table(tmp_path / "out")
    assert sorted(rows) == ["Speed limit 30/a b.png", "a b.png", "broken.png", "holiday/1.png", "ünï 🚦.png"]
    assert [line for line in err.splitlines() if "broken.png" in line] == [err.strip()]
    assert "cannot be read as a picture" in rows["broken.png"]["problem"]
    assert not (tmp_path / "out" / "broken").exists()
    assert out.splitlines()[-1].startswith("4 of 5 pictures fooled the network, by ")
    assert "1 could not be attacked" in out
    assert {name: row["label"] for name, row in rows.items() if row["label"]} == {
        "Speed limit 30/a b.png": "Speed limit 30"
    }
    for row in rows.values():
        if not row["problem"]:
            files = tmp_path / "out" / row["folder"]
            assert {path.name for path in files.iterdir() if path.is_file()} == {*FILES}
            result = json.loads((files / "result.json").read_text())
            assert row["fooled"] == str(result["saved_picture_fools"]) == "True"
            assert int(row["pixels"]) == result["n_pixels"] == int(row["pixels_pruned"])
            assert int(row["obscuring"]) + int(row["leading"]) == result["n_pixels"]
            assert (row["before"], row["after"]) == tuple(
                result["labels"][each]["name"] for each in ("attacked", "after")
            )
            assert row["trust"] in ("green", "amber", "red")


def test_a_label_counts_for_all_and_pictures_that_do_not_fool_are_exit_code_3(tmp_path, capsys):
    folder = write(tmp_path / "pictures", one="stop-1", two="stop-2")
    assert attack(folder, tmp_path / "out", "--label", "Stop", "--max-pixels", "1") == 3
    rows = table(tmp_path / "out")
    assert {row["label"] for row in rows.values()} == {"Stop"}
    assert {row["fooled"] for row in rows.values()} == {"False"}
    assert "0 of 2 pictures" in capsys.readouterr().out


def test_what_was_stopped_goes_on_and_what_was_done_is_known_by_its_content(tmp_path, capsys, attacks, monkeypatch):
    folder, out = write(tmp_path / "in", a="stop-1", b="yield-1", c="no-entry-1"), tmp_path / "out"
    explore = collection.explore

    def impatient(*args, **kwargs):
        if len(attacks) == 2:
            raise KeyboardInterrupt
        return explore(*args, **kwargs)

    monkeypatch.setattr(collection, "explore", impatient)
    assert attack(folder, out) == 130
    assert sorted(table(out)) == ["a.png", "b.png"], "the table holds what was done"
    assert "2 of 3 are done" in capsys.readouterr().err
    monkeypatch.setattr(collection, "explore", explore)
    (folder / "a.png").rename(folder / "z.png")
    shutil.copy(folder / "b.png", folder / "again.png")
    before = table(out)
    assert attack(folder, out) == 0
    assert len(attacks) == 3, "only the third"
    rows = table(out)
    assert [*rows] == ["again.png", "b.png", "c.png", "z.png"]
    for new, old in (("z.png", "a.png"), ("again.png", "b.png"), ("b.png", "b.png")):
        assert {**rows[new], "file": "", "folder": ""} == {**before[old], "file": "", "folder": ""}
        saved = [(out / row["folder"] / "adversarial.png").read_bytes() for row in (rows[new], before[old])]
        assert saved[0] == saved[1]
    assert capsys.readouterr().out.count("as it was done before") == 3


def test_other_content_or_other_settings_are_done_anew(tmp_path, attacks):
    folder, out = write(tmp_path / "in", a="stop-1", b="yield-1"), tmp_path / "out"
    assert attack(folder, out) == 0
    (folder / "a.png").write_bytes(sign("yield-1"))
    (folder / "b.png").write_bytes(sign("stop-1"))
    assert attack(folder, out) == 0
    assert len(attacks) <= 3, "of two that exchange their names, at least one is known"
    rows = table(out)
    assert (rows["a.png"]["before"], rows["b.png"]["before"]) == ("Yield", "Stop")
    for name, clean in (("a", "yield-1"), ("b", "stop-1")):
        changed = (load_image(out / name / "adversarial.png") != find_sample(clean).image).any(0).sum()
        assert int(changed) == int(rows[f"{name}.png"]["pixels"])
    done = len(attacks)
    assert attack(folder, out, "--lam", "2") == 0
    assert attack(folder, out, "--lam", "2", "--label", "Stop") == 0
    assert len(attacks) == done + 4


def test_pictures_that_are_not_read_are_named(tmp_path, capsys):
    folder = write(tmp_path / "in", a="yield-1")
    for name in ("b.gif", "c.TIFF", "notes.txt"):
        (folder / name).write_bytes(b"")
    assert attack(folder, tmp_path / "out") == 0
    line = "Only PNG, JPEG, WebP and BMP files are read, not b.gif, c.TIFF."
    assert line in capsys.readouterr().err.splitlines()
    for name in ("d.svg", "e.gif"):
        (folder / name).write_bytes(b"")
    assert attack(folder, tmp_path / "out") == 0
    assert "not b.gif, c.TIFF, d.svg and 1 more." in capsys.readouterr().err


def test_somebody_elses_result_is_not_written_over(tmp_path, capsys):
    folder, out = write(tmp_path / "in", a="yield-1", b="no-entry-1"), tmp_path / "out"
    (out / "a").mkdir(parents=True)
    (out / "a" / "result.json").write_text("{}")
    for _ in range(2):
        assert attack(folder, out) == 2
        assert (out / "a" / "result.json").read_text() == "{}"
    assert "is not of a run of this command" in table(out)["a.png"]["problem"]
    assert table(out)["b.png"]["fooled"]


def test_a_result_that_was_damaged_is_done_anew(tmp_path, attacks):
    folder, out = write(tmp_path / "in", a="stop-1", b="yield-1", c="no-entry-1"), tmp_path / "out"
    assert attack(folder, out) == 0
    (out / "a" / "result.json").write_text('{"collection": 3}')
    (out / "b" / "pixels.csv").unlink()
    (out / "c" / "result.json").write_text("[" * 90_000)
    assert attack(folder, out) == 0
    assert len(attacks) == 6
    assert json.loads((out / "a" / "result.json").read_text())["succeeded"]


def test_pictures_of_other_sizes_are_fitted_and_a_mask_may_have_the_size_of_each(tmp_path):
    folder = write(tmp_path / "in", a="stop-1")
    large = to_uint8(find_sample("stop-1").image).repeat(2, 0).repeat(2, 1)
    (folder / "large.png").write_bytes(to_png(from_uint8(large)))
    assert attack(folder, tmp_path / "out", "--region", "box:0,0,64,40") == 0
    rows = table(tmp_path / "out")
    assert rows["a.png"]["picture"] == rows["large.png"]["picture"], "a picture is what the network sees"


OWN = """
import torch
from torch import nn

def load():
    torch.manual_seed(0)
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 4))
"""


def test_ones_own_network_takes_pictures_of_the_first_ones_size_and_its_code_counts(tmp_path, attacks):
    folder, code = write(tmp_path / "in", b="stop-1", c="yield-1"), tmp_path / "folder_network.py"
    (folder / "a.png").write_bytes(b"no picture")
    code.write_text(OWN)
    command = ["attack", str(folder), "--model", f"{code}:load", "--steps", "5", "--no-polish", "--out"]
    assert run(*command, str(tmp_path / "out")) == 2
    assert run(*command, str(tmp_path / "out")) == 2
    assert [tuple(image.shape) for image in attacks] == [(3, 64, 64)] * 2
    code.write_text(OWN + "\n# another text may be another network\n")
    run(*command, str(tmp_path / "out"))
    assert len(attacks) == 4


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder, out: None, "holds no pictures"),
        (lambda folder, out: out.mkdir() or (out / TABLE).write_text("mine\n"), "is no table of this command"),
        (lambda folder, out: out.symlink_to(folder), "must be another folder"),
    ],
    ids=["empty", "somebody's table", "its own folder"],
)
def test_bad_folders_are_one_sentence(prepare, message, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    if message != "holds no pictures":
        write(folder, a="stop-1")
    prepare(folder, out)
    assert message in refused(attack(folder, out), capsys)
    assert not (out / TABLE).exists() or (out / TABLE).read_text() == "mine\n"


def test_results_inside_the_folder_are_no_pictures_of_it(tmp_path):
    folder = write(tmp_path / "in", a="stop-1")
    for _ in range(2):
        assert attack(folder, folder / "out") == 0
        assert [*table(folder / "out")] == ["a.png"]


def test_a_name_of_a_sign_means_the_sign_whatever_lies_here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "stop-1", a="yield-1")
    assert run("attack", "stop-1", *QUICK, "--out", "out") == 0
    assert capsys.readouterr().out.startswith("signs-cnn sees this Stop as what it is.")
    assert run("attack", "stop-1/", *QUICK, "--out", "all") == 0
    assert [*table(tmp_path / "all")] == ["a.png"]


@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(
                (
                    *(
                        "a.png",
                        "A.PNG",
                        "a.jpg",
                        "a 2.png",
                        "..",
                        ".",
                        "",
                        "x/../y.png",
                        "c:\\d.png",
                        "results.csv.png",
                    ),
                    *("adversarial.png.png", "é.png", "e\u0301.png", "🛑" * 99, "\ud800.png", "a\nb.png", "CON.png "),
                )
            ),
        ),
        max_size=12,
    )
)
def test_folders_have_names_that_differ_everywhere_and_lead_nowhere_else(files):
    names = folder_names(files)
    assert len({collection._alike(name) for name in names}) == len(files)
    for name in names:
        parts = name.split("/")
        assert all(part and part not in (".", "..") and part.strip(". ") == part for part in parts)
        assert not {*'<>:"\\|?*'} & {*name}
        assert name.isprintable()
        assert max(len(part.encode()) for part in parts) < 200
        assert parts[-1] not in (TABLE, *FILES)


def test_the_archive_holds_what_the_folder_holds(tmp_path):
    folder, out = write(tmp_path / "in", a="stop-1", b="yield-1"), tmp_path / "out"
    (folder / "bad.png").write_bytes(b"no picture")
    attack(folder, out)
    rows = [*table(out).values()]
    with zipfile.ZipFile(io.BytesIO(archive(out, rows))) as held:
        on_disk = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        assert {name: held.read(name) for name in held.namelist()} == on_disk
    assert [*rows[0]] == [*COLUMNS]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "=\udcff"])
def test_no_name_is_a_formula_in_the_table(name):
    """Of files and of classes: a program that opens tables runs what begins like a formula. Numbers stay numbers."""
    named = {"file": f"{name}.png", "label": name, "before": name, "after": name, "problem": name}
    row = dict.fromkeys(COLUMNS, "") | named | {"probability_before": -0.5}
    (read,) = csv.DictReader(io.StringIO(table_csv([row]), newline=""))
    written = {key: value.translate({9: " ", 10: " ", 13: " ", 0xDCFF: " "}) for key, value in named.items()}
    assert {key: read[key] for key in named} == {key: f"'{value}" for key, value in written.items()}
    assert read["probability_before"] == "-0.5"
