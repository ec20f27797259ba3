"""The paper kit: figures that a journal takes, text that stands for itself, and a program that does it again."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from test_cli import run

from explorer.attacks import ATTACKS, SparseAttack
from explorer.classifiers import load_classifier
from explorer.figures.paper import FIGURES, SMALL, STYLE, Shown, figure
from explorer.images import load_image, to_uint8
from explorer.palette import LOOKS
from explorer.pipeline import PAPER, explore, one_line, paper, paper_kit
from explorer.pipeline.escaping import latex
from explorer.pipeline.paper import caption, citation, kit_files, table_tex
from explorer.samples import find_sample
from explorer.types import PixelLabel

ROOT = Path(__file__).parents[1]
HOSTILE = "\"quotes\" 'and'\n\\input{evil} $x_1$ 100% {#&~^} <svg onload=1> -- ]]> @misc{x,\u2028 end"


@pytest.fixture(scope="module")
def told():
    clf, sample = load_classifier("signs-cnn", device="cpu"), find_sample("stop-1")
    attack = SparseAttack(steps=20, polish=False)
    return explore(clf, sample.image, attack, label=sample.label, splits=0)


@pytest.fixture(scope="module")
def hostile(told):
    return replace(told, class_names=tuple(f"{HOSTILE} {number}" for number in range(18)))


@pytest.fixture(scope="module")
def kit(hostile):
    """The files of a run whose classes have names that are made to do harm."""
    with zipfile.ZipFile(io.BytesIO(paper_kit(hostile))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_figure_is_there_twice_and_all_else(kit):
    figures = {f"figures/{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg")}
    texts = {"table.tex", "caption.tex", "caption.txt", "citation.bib", "settings.json", "link.txt", "README.txt"}
    assert {*kit} == figures | texts | {"picture.png", "adversarial.png", "pixels.csv", "reproduce.py"}


@pytest.mark.parametrize("name", FIGURES)
def test_pdfs_hold_their_fonts_as_truetype_and_svgs_are_well_formed_and_do_nothing(kit, name):
    pdf = kit[f"figures/{name}.pdf"]
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf, "TrueType, inside"
    assert b"/Type3" not in pdf
    root = ET.fromstring(kit[f"figures/{name}.svg"])
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "text", "foreignObject", "a"}, "letters are shapes, so no font is missing"
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]


def pixel(kind: str, weak: bool, n: int) -> PixelLabel:
    return PixelLabel(n, n, (0, 0, 0), (9, 9, 9), 1.0 * n, 3.0 - n, kind, weak, 1.0, 1.0, kind)


def shown(names: list[str], pixels: list[PixelLabel] = ()) -> Shown:
    picture = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    shares = [1 / len(names)] * len(names)
    return Shown(picture, picture, pixels, names, shares, shares, names[0], names[-1])


def test_the_kinds_differ_by_colour_and_shape_and_weak_ones_are_hollow():
    pixels = [pixel("obscuring", False, 1), pixel("leading", False, 2), pixel("leading", True, 3)]
    svg = figure("marks", shown(["a", "b"], pixels), "svg").decode()
    for look in LOOKS.values():
        assert "#{:02x}{:02x}{:02x}".format(*look.rgb) in svg.lower()
    symbols = re.findall(r'<path id="(\w+)" d="([^"]*)"', svg)
    shapes = {("C" in path) for _, path in symbols}
    assert shapes == {True, False}, "curves of the circle, and the diamond's straight lines"
    alone = [figure("marks", shown(["a", "b"], [pixels[2] if weak else pixels[1]]), "svg") for weak in (True, False)]
    assert b"fill: #ffffff" in alone[0]
    assert b"fill: #e69f00" in alone[1]


def test_pixels_stay_crisp():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[::2, ::2] = picture[1::2, 1::2] = 255
    board = replace(shown(["a", "b"]), before=picture)
    drawn = np.asarray(Pillow.open(io.BytesIO(figure("before", board, "png"))).convert("L"))
    middle = drawn[drawn.shape[0] // 3 : drawn.shape[0] // 2, 50:-50]
    assert ((middle < 10) | (middle > 245)).mean() > 0.99, "no grey between black and white"


def test_text_has_eight_points_or_more():
    sizes = [value for key, value in STYLE.items() if key.endswith(("size",))]
    assert min(sizes) >= SMALL == 8


def test_the_same_figure_is_the_same_file():
    for kind in ("pdf", "svg"):
        assert figure("bars", shown(["a", "b"]), kind) == figure("bars", shown(["a", "b"]), kind)


@pytest.mark.parametrize("name", ["$unbalanced", "", "x" * 500, "\ud800", "a\nb", "猫 🛑", "\\frac{", "100 %"])
def test_any_name_is_drawn_as_it_is(name):
    for which in ("bars", "before"):
        ET.fromstring(figure(which, shown([one_line(name), "b"]), "svg"))


BARE = re.compile(r"(?<!\\)[#$%&_~^{}]")


@given(st.one_of(st.text(), st.sampled_from([HOSTILE, "\\", "{", "}", "--", "---", "\\begin{x}"])))
@settings(max_examples=300)
def test_no_text_is_a_command_in_latex_or_breaks_bibtex(text):
    escaped = latex(text)
    known = r"\\(text\w+|ensuremath)\{(\\\w+)?\}|\\[#$%&_]|-\{\}-"
    rest = re.sub(known, "", escaped.replace("-{}-", "")).replace("{}", "")
    assert not set(rest) & {*"\\#$%&_~^{}<>|\"'`"}
    assert "\n" not in escaped
    assert "--" not in escaped
    assert escaped.count("{") == escaped.count("}")
    depth = 0
    for letter in escaped:  # as BibTeX counts, which knows no backslash
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0


def test_letters_and_numbers_stay_as_they_are():
    assert latex("Speed limit 80, straße") == "Speed limit 80, straße"
    assert latex("50 % of a_b & {c}") == r"50 \% of a\_b \& \textbraceleft{}c\textbraceright{}"


def test_hostile_names_are_text_in_table_caption_and_citation(kit, hostile):
    for name in ("table.tex", "caption.tex", "citation.bib"):
        content = kit[name].decode()
        assert "\\input" not in content
        assert not re.search(r"(?<!\\)\$x", content)
        assert "@misc{x" not in content.replace("@misc{lin", "")
        body = re.sub(r"(?m)(?<!\\)%.*$", "", content)
        assert body.count("{") == body.count("}")
    assert kit["citation.bib"].decode().count("\n@software{") == 1
    assert len(kit["caption.txt"].decode().splitlines()) == 1
    assert "\\textbackslash{}input\\textbraceleft{}evil" in kit["caption.tex"].decode()


def test_the_table_has_the_pixels_and_the_caption_the_numbers(told):
    table, text = table_tex(told), caption(told)
    rows = [line for line in table.splitlines() if re.match(r"\d+ & \d+ & ", line)]
    assert len(rows) == min(25, told.n_pixels)
    assert {(int(row.split(" & ")[0]), int(row.split(" & ")[1])) for row in rows} <= {
        (each.row, each.col) for each in told.evidence.pixels
    }
    assert table.count(r"\toprule") == table.count(r"\bottomrule") == 2
    assert f"{told.n_pixels} of 4,096 pixels" in text
    assert f"{told.evidence.count('leading')} leading" in text
    assert "steps = 20" in text


def test_what_is_cited_is_the_papers_and_the_software(told):
    assert citation(told).count("\n@") == 1
    assert "2506.17250" in citation(told)
    for kind in ATTACKS.values():
        cited = citation(replace(told, attack=kind()))
        assert "2506.17250" in cited
        if kind.source.startswith("arXiv"):
            assert kind.source.partition(" ")[2] in cited, f"the paper of {kind.title}"


def test_a_picture_that_was_not_changed_has_a_kit(told, monkeypatch):
    monkeypatch.setattr(paper, "FIGURES", ["sheet"])
    nothing = replace(told, adversarial=told.image, evidence=None, adversarial_label=told.label)
    files = kit_files(nothing)
    assert "not fooled" in files["caption.txt"]
    assert r"\multicolumn" not in files["table.tex"]


def reproduced(folder: Path) -> subprocess.CompletedProcess:
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    command = [sys.executable, "-W", "error", "reproduce.py"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_the_program_makes_the_result_again_in_a_folder_of_its_own(kit, told, tmp_path, monkeypatch):
    for name in ("reproduce.py", "picture.png", "adversarial.png"):
        (tmp_path / name).write_bytes(kit[name])
    end = reproduced(tmp_path)
    assert end.returncode == 0, end.stderr
    assert end.stdout.splitlines()[-1] == "The result is equal."
    assert np.array_equal(to_uint8(load_image(tmp_path / "picture.png")), to_uint8(told.image))
    other = to_uint8(load_image(tmp_path / "adversarial.png")).copy()
    other[0, 0, 0] ^= 1
    Pillow.fromarray(other).save(tmp_path / "adversarial.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="differs in 1 pixels"):
        runpy.run_path("reproduce.py")


def test_a_network_that_no_program_can_load_has_no_program(told, monkeypatch):
    monkeypatch.setattr(paper, "FIGURES", [])
    for other in (replace(told, network="your-vgg-1"), replace(told, dataset="custom")):
        files = kit_files(other)
        assert "reproduce.py" not in files
        assert "reproduce.py" not in files["README.txt"]


def test_the_command_line_makes_the_same_kit(tmp_path, monkeypatch):
    monkeypatch.setattr(paper, "FIGURES", [])
    quick = ["--model", "signs-cnn", "--device", "cpu", "--steps", "20", "--no-polish", "--paper", "--out"]
    assert run("attack", "stop-1", *quick, str(tmp_path / "out")) == 0
    with zipfile.ZipFile(tmp_path / "out" / PAPER) as archive:
        link = dict(parse_qsl(urlsplit(archive.read("link.txt").decode().strip()).query))
        assert link == {"network": "signs-cnn", "picture": "stop-1", "steps": "20", "polish": "false"}
        assert archive.read("adversarial.png") == (tmp_path / "out" / "adversarial.png").read_bytes()
        assert json.loads(archive.read("settings.json"))["software"]["version"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes((ROOT / "assets/samples/stop-1.png").read_bytes())
    assert run("attack", str(tmp_path / "in"), *quick[:-2], "--out", str(tmp_path / "all")) == 0
    assert run("attack", str(tmp_path / "in"), *quick, str(tmp_path / "all")) == 0
    assert (tmp_path / "all" / "a" / PAPER).is_file()
